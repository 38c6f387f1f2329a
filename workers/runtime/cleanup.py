"""Removing all that a cluster's runtime has on this machine, on whichever of its nodes."""

from __future__ import annotations

import contextlib

from app.base.clock import Clock
from app.base.settings import Settings
from app.base.trees import remove_tree


def pods(settings: Settings) -> int:
    """How many pods there are, running or not. Raises ContainerError."""
    if settings.runtime == "docker":
        from workers.runtime.docker import cleanup as engine

        return engine.pods(settings.cluster)
    if settings.runtime == "process":
        from workers.runtime.process import cleanup as processes

        return len(processes.pods(settings.state_dir / "process"))
    return 0


def remove(settings: Settings, clock: Clock, grace: float) -> None:
    """End the pods and remove what they had: containers, networks, the packet filter's rules, folders.

    Args:
        grace: seconds that containers get between SIGTERM and SIGKILL.

    Raises:
        ContainerError: something could not be removed. Doing it again goes on where this ended.
    """
    if settings.runtime == "docker":
        from workers.runtime.docker import cleanup as engine

        engine.remove(settings.cluster, grace)
    elif settings.runtime == "process":
        from workers.runtime.process import cleanup as processes

        processes.remove(settings.state_dir / "process", clock, grace)
    if settings.runtime:
        with contextlib.suppress(OSError):
            remove_tree(settings.state_dir / settings.runtime)


def remove_volumes(settings: Settings) -> None:
    """Remove the volumes that the cluster's engine holds, with their data. Raises ContainerError."""
    if settings.runtime == "docker":
        from workers.runtime.docker import cleanup as engine

        engine.remove_volumes(settings.cluster)
