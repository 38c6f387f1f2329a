"""Removing a cluster's pods of the process runtime: its process groups, and what they left behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.base.clock import Clock
from workers.runtime import machine
from workers.runtime.process import reaping
from workers.runtime.process.files import NodeFolder, PodFolder
from workers.runtime.protocol import ContainerError

SIDE_BY_SIDE = 32


def pods(root: Path) -> list[PodFolder]:
    """The pods of all nodes below `root`, where each node has a folder of its own."""
    nodes = sorted(root.iterdir()) if root.is_dir() else []
    return [pod for node in nodes for pod in NodeFolder(node).pods()]


def remove(root: Path, clock: Clock, grace: float) -> None:
    """End every container and remove its pod's folder.

    Args:
        grace: seconds between SIGTERM and SIGKILL.

    Raises:
        ContainerError: a process does not die of SIGKILL.
    """
    boot = machine.boot_id()

    def end(pod: PodFolder) -> None:
        with ThreadPoolExecutor(SIDE_BY_SIDE) as containers:
            for _ in containers.map(lambda c: reaping.stop(c, boot, grace, clock), pod.containers()):
                continue
        pod.remove()

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        try:
            for _ in pool.map(end, pods(root)):
                continue
        except TimeoutError as exc:
            raise ContainerError("CleanupFailed", str(exc)) from exc
