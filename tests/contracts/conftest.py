"""The Docker subject of the Runtime contract."""

from __future__ import annotations

import os

import docker
import pytest

from tests.contracts.runtime_subjects import DockerSubject
from tests.images.fixtures import engine

__all__ = ["docker_subject", "engine"]


@pytest.fixture
def docker_subject(engine: docker.APIClient) -> DockerSubject:
    """A node on the engine, in a cluster of this test process's own. Whoever takes it closes it."""
    return DockerSubject(engine, f"contract{os.getpid()}")
