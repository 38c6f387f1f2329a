"""The Docker runtime."""

from workers.runtime.docker.engine import reachable
from workers.runtime.docker.runtime import DockerRuntime

__all__ = ["DockerRuntime", "reachable"]
