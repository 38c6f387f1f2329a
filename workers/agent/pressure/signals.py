"""How much the machine has left of what pods may use up, read from /proc and its file systems."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol, runtime_checkable

from workers.agent.pressure.thresholds import IMAGE_DISK, MEMORY, NODE_DISK, NODE_INODES, PIDS, Level
from workers.runtime.image_store import Disk, KeepsImages
from workers.runtime.protocol import AnswersProbes, ContainerError, Runtime

PROC = Path("/proc")


@runtime_checkable
class HasLevels(Protocol):
    """What a runtime has besides that makes up its machine."""

    def levels(self) -> dict[str, tuple[int, int]]:
        """For each signal that is known, how much is left, and of how much."""
        ...


def read(runtime: Runtime, folder: Path) -> dict[str, Level]:
    """The levels of all that can be measured; `folder` lies on the disk that pods use."""
    if isinstance(runtime, HasLevels):
        return {signal: Level(*level) for signal, level in runtime.levels().items()}
    if isinstance(runtime, AnswersProbes):
        return {}
    found = {MEMORY: memory(), PIDS: pids(), **disk(folder, NODE_DISK, NODE_INODES)}
    images = _images(runtime)
    if images is not None:
        found[IMAGE_DISK] = Level(images.available, images.capacity)
    return {signal: level for signal, level in found.items() if level is not None}


def _images(runtime: Runtime) -> Disk | None:
    try:
        return runtime.images.disk() if isinstance(runtime, KeepsImages) else None
    except ContainerError:
        return None


def memory(text: str | None = None) -> Level | None:
    """Memory that can be had without swapping; `text` in place of /proc/meminfo."""
    try:
        text = (PROC / "meminfo").read_text() if text is None else text
        lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return Level(*(int(lines[name].split()[0]) * 1024 for name in ("MemAvailable", "MemTotal")))
    except (OSError, ValueError, KeyError, IndexError):
        return None


def disk(folder: Path, space: str, inodes: str) -> dict[str, Level | None]:
    """What the file system of a folder has left for who is not root."""
    try:
        stat = os.statvfs(folder)
    except OSError:
        return {}
    return {
        space: Level(stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize),
        inodes: Level(stat.f_favail, stat.f_files),
    }


def pids() -> Level | None:
    """How many more processes and threads there may be."""
    try:
        most = min(int((PROC / "sys/kernel" / name).read_text()) for name in ("pid_max", "threads-max"))
        running = int((PROC / "loadavg").read_text().split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        return None
    return Level(max(0, most - running), most)
