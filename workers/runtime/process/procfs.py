"""Processes by pid and start time, which together name one process for good (until reboot)."""

from __future__ import annotations

import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path

_DEAD = frozenset((b"Z", b"X", b"x"))
# The variable in a container's environment by which what it left behind is found.
MARK = "BEANPOLE_CONTAINER"


@dataclass(frozen=True, slots=True)
class Process:
    """One process. `start` is field 22 of its /proc/<pid>/stat."""

    pid: int
    start: int

    def alive(self) -> bool:
        """Whether it runs; a zombie does not."""
        fields = _stat(self.pid)
        return bool(fields) and int(fields[19]) == self.start and fields[0] not in _DEAD

    def open(self) -> int | None:
        """A pidfd, readable once it is dead; None if it is dead already."""
        try:
            fd = os.pidfd_open(self.pid)
        except OSError:
            return None
        # Looked at after the pidfd was opened, so the pid can't have passed to another in between.
        if self.alive():
            return fd
        os.close(fd)
        return None

    def wait(self, seconds: float) -> bool:
        """Whether it is dead within `seconds`."""
        fd = self.open()
        if fd is None:
            return True
        try:
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            return bool(poll.poll(max(seconds, 0.0) * 1000))
        finally:
            os.close(fd)

    def kill(self, number: int) -> None:
        """Send a signal to it alone."""
        if self.alive():
            _ignore_gone(os.kill, self.pid, number)

    def kill_group(self, number: int) -> None:
        """Send a signal to the process group that it leads."""
        if self.alive():
            _ignore_gone(os.killpg, self.pid, number)


def kill_child(pid: int) -> None:
    """SIGKILL to a child and the group that it leads. Nobody has waited for it yet: the number is still its own."""
    # Before its setsid there is no such group.
    for kill in (os.killpg, os.kill):
        _ignore_gone(kill, pid, signal.SIGKILL)


def marked(container_id: str) -> list[Process]:
    """Every process that carries the container's mark in its environment, also one that left its group."""
    mark = f"{MARK}={container_id}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                environ = Path(f"/proc/{entry}/environ").read_bytes()
            except OSError:
                continue
            fields = _stat(int(entry)) if mark in environ.split(b"\0") else []
            if fields:
                found.append(Process(int(entry), int(fields[19])))
    return found


def _stat(pid: int) -> list[bytes]:
    """The fields of /proc/<pid>/stat from the third on; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return []


def _ignore_gone(call: object, pid: int, number: int) -> None:
    try:
        call(pid, number)  # type: ignore[operator]
    except ProcessLookupError:
        return
