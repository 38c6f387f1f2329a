"""What containers use that are processes of this machine: one look through /proc for all of them.

A container's processes are those of the session that its first one leads, and what descends from them. Processor time
of children that ended is in their parent's (`cutime`), so a container's sum goes on growing as long as parents wait
for their children. Memory counts what a process has for itself: programs and libraries that many have mapped
would count once for each.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workers.runtime import machine_usage
from workers.runtime.machine_usage import TICK
from workers.runtime.process.files import ContainerFolder, Recorded
from workers.runtime.protocol import ContainerUsage, PodRef, Usage

PAGE = os.sysconf("SC_PAGE_SIZE")
Running = tuple[PodRef, ContainerFolder, Recorded]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A process. `ticks`: its own, and of its children that ended and were waited for. `threads`: how many it is."""

    parent: int
    session: int
    ticks: int
    start: int
    threads: int


def measured(running: Iterable[Running]) -> Usage:
    """What the machine and the containers use; those that ended meanwhile are left out."""
    seen = _all()
    mains = {r.main.pid: (pod, folder, r) for pod, folder, r in running}
    alive = {
        pid for pid, (_, _, r) in mains.items() if (found := seen.get(pid)) and found.start == r.main.start
    }
    ticks, pages, threads = dict.fromkeys(alive, 0), dict.fromkeys(alive, 0), dict.fromkeys(alive, 0)
    for pid in seen:
        main = _owner(pid, seen, alive)
        if main:
            ticks[main] += seen[pid].ticks
            pages[main] += _private_pages(pid)
            threads[main] += seen[pid].threads
    used = [
        ContainerUsage(
            pod, folder.name, folder.id, r.started_at, ticks[pid] * TICK, pages[pid] * PAGE, threads[pid]
        )
        for pid, (pod, folder, r) in mains.items()
        if pid in alive
    ]
    return Usage(machine_usage.cpu(), machine_usage.memory(), tuple(used))


def _owner(pid: int, seen: dict[int, _Seen], mains: set[int]) -> int:
    """The first process of the container that a process is in; 0 if in none."""
    # Not longer than there are processes: pids may have passed to others while /proc was read.
    for _ in range(len(seen)):
        if pid in mains:
            return pid
        process = seen.get(pid)
        if process is None:
            return 0
        if process.session in mains:
            return process.session
        pid = process.parent
    return 0


def _all() -> dict[int, _Seen]:
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        # Counted from the state, which is the third: 4 ppid, 6 session, 14 to 17 times, 20 threads, 22 start.
        ticks = sum(int(each) for each in fields[11:15])
        found[int(entry)] = _Seen(int(fields[1]), int(fields[3]), ticks, int(fields[19]), int(fields[17]))
    return found


def _private_pages(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/statm").read_bytes().split()
    except OSError:
        return 0
    return max(0, int(fields[1]) - int(fields[2])) if len(fields) > 2 else 0
