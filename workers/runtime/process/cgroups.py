"""Control groups of containers that are plain processes: one for each, by which the kernel holds it to its limits.

Both versions of cgroups (https://docs.kernel.org/admin-guide/cgroup-v2.html, .../cgroup-v1/). Which one a group is of
shows by the files in it. In version 1 a container has a group for each controller, in version 2 one for all.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workers.runtime import cgroup_memory
from workers.runtime.resources import CPU_SHARES, MAX_SHARES, PERIOD, Limits, Resources

ROOT = Path("/sys/fs/cgroup")
FOLDER = "beanpole"
CONTROLLERS = ("cpu", "memory", "pids")
# The file by which a process moves in.
PROCESSES = "cgroup.procs"
# A group that lost its last process may be busy for a moment. Seconds, and how often that is looked at.
PAUSE, TRIES = 0.01, 200
# A group as young as this may be empty because its container is about to start. Seconds.
FRESH = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where groups can be made: for each controller that can be had, the folder that holds the containers' groups."""

    folders: dict[str, Path]
    unified: bool

    def groups(self, container_id: str) -> list[Path]:
        """The groups of a container, whether or not they are there."""
        return [folder / container_id for folder in dict.fromkeys(self.folders.values())]

    def make(self, groups: Iterable[Path], limits: Limits, more: Resources) -> None:
        """Make a container's groups. Raises OSError."""
        for group in groups:
            self._make(group)
            most = group / "pids.max"
            if most.exists():
                most.write_text(str(more.pids) if more.pids else "max")
        apply(groups, limits)
        self.balance()

    def balance(self) -> None:
        """Let all containers together weigh as much as so many processes would: without their groups they were that."""
        folder = self.folders.get("cpu")
        if folder is None:
            return
        with contextlib.suppress(OSError):
            number = max(1, sum(entry.is_dir() for entry in folder.iterdir()))
            name, one, most = (
                ("cpu.weight", 100, 10_000) if self.unified else ("cpu.shares", CPU_SHARES, MAX_SHARES)
            )
            if (folder / name).exists():
                (folder / name).write_text(str(min(most, number * one)))

    def sweep(self, now: float) -> None:
        """Remove what agents left that came to no good end: groups of which nothing runs. `now`: seconds since the
        epoch."""
        for folder in dict.fromkeys(self.folders.values()):
            with contextlib.suppress(OSError):
                for entry in list(folder.iterdir()):
                    with contextlib.suppress(OSError):
                        if entry.is_dir() and now - entry.stat().st_mtime > FRESH:
                            # As long as a process is in it, this fails.
                            entry.rmdir()

    def _make(self, group: Path) -> None:
        """Whose last container ends may take the folder away at any moment."""
        for attempt in range(TRIES):
            try:
                if self.unified:
                    _enable(group.parent)
                group.mkdir(parents=True, exist_ok=True)
                return
            except FileNotFoundError:
                if attempt == TRIES - 1:
                    raise


def find(root: Path = ROOT) -> Place | None:
    """Where this process may make groups, if anywhere."""
    if (root / "cgroup.controllers").exists():
        has = set(_text(root / "cgroup.controllers").split())
        wanted = [c for c in CONTROLLERS if c in has]
        folder = root / FOLDER
        there = folder.is_dir()
        if not wanted or not _usable(root) or not _enable(root) or not _enable(folder):
            return None
        if not there:
            with contextlib.suppress(OSError):
                folder.rmdir()
        return Place(dict.fromkeys(wanted, folder), True)
    folders = {c: root / c / FOLDER for c in CONTROLLERS if _usable(root / c)}
    return Place(folders, False) if folders else None


def apply(groups: Iterable[Path], limits: Limits) -> None:
    """Hold a container to these limits. Raises OSError: the kernel refuses."""
    for group in groups:
        if (group / "cpu.weight").exists():
            # The range of shares laid over that of weights, as kubelet and runc do it.
            (group / "cpu.weight").write_text(str(1 + (limits.cpu_shares - 2) * 9999 // 262_142))
            (group / "cpu.max").write_text(f"{limits.cpu_quota or 'max'} {PERIOD}")
        elif (group / "cpu.shares").exists():
            (group / "cpu.shares").write_text(str(limits.cpu_shares))
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(limits.cpu_quota or -1))
        if (group / "memory.max").exists():
            (group / "memory.max").write_text(str(limits.memory_bytes or "max"))
            if (group / "memory.swap.max").exists():
                (group / "memory.swap.max").write_text("0" if limits.memory_bytes else "max")
        elif (group / "memory.limit_in_bytes").exists():
            _apply_memory_1(group, str(limits.memory_bytes or -1))


def _apply_memory_1(group: Path, most: str) -> None:
    """Memory with swap never is the lesser of the two: which goes first depends on where they are."""
    bare, both = group / "memory.limit_in_bytes", group / "memory.memsw.limit_in_bytes"
    order = [each for each in (bare, both) if each.exists()]
    try:
        for path in order:
            path.write_text(most)
    except OSError:
        for path in reversed(order):
            path.write_text(most)


def oom_killed(groups: Iterable[Path]) -> bool:
    """Whether the kernel ended a process of the container because they held too much memory."""
    for group in groups:
        for name in ("memory.events", "memory.oom_control"):
            for line in _text(group / name).splitlines():
                if line.startswith("oom_kill ") and line.split()[1] != "0":
                    return True
    return False


def memory_in_use(groups: Iterable[Path]) -> int:
    """Bytes of the container's working set; 0 if that can't be told."""
    for group in groups:
        # In version 1 those of other controllers don't tell.
        with contextlib.suppress(OSError, ValueError):
            return cgroup_memory.of_group(group)
    return 0


def remove(groups: Iterable[Path]) -> None:
    """Remove a container's groups, and end what still runs in them."""
    pause = threading.Event()
    for group in groups:
        for _ in range(TRIES):
            try:
                group.rmdir()
                break
            except FileNotFoundError:
                break
            except OSError:
                for pid in _text(group / PROCESSES).split():
                    with contextlib.suppress(OSError):
                        os.kill(int(pid), signal.SIGKILL)
                pause.wait(PAUSE)
        # The last one closes the door. With others inside it stays open.
        with contextlib.suppress(OSError):
            group.parent.rmdir()


def _usable(folder: Path) -> bool:
    """Whether groups can be made there, and processes moved into them."""
    return os.access(folder, os.W_OK) and os.access(folder / PROCESSES, os.W_OK)


def _enable(folder: Path) -> bool:
    """Give the groups below a folder its controllers; whether they have them. Version 2 only."""
    control = folder / "cgroup.subtree_control"
    try:
        folder.mkdir(exist_ok=True)
        has, given = _text(folder / "cgroup.controllers").split(), _text(control).split()
        lacking = [name for name in CONTROLLERS if name in has and name not in given]
        if lacking:
            control.write_text(" ".join(f"+{name}" for name in lacking))
    except OSError:
        return False
    return True


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
