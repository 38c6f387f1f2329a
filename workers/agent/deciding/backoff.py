"""How long a container that keeps ending waits for its next start: CrashLoopBackOff.

As kubelet: the first restart is immediate, then 10 s doubling to 5 minutes, forgotten once a container
ran for 10 minutes (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy).
"""

from __future__ import annotations

from workers.agent.memory import ContainerMemory

FIRST = 10.0
LONGEST = 300.0
FORGOTTEN_AFTER = 600.0
# So much may clocks differ, in seconds.
AHEAD = 5.0


def believed(memory: ContainerMemory, finished_at: float, now: float) -> float:
    """When a container ended of which the runtime says `finished_at`. A time that is to come, or before it was started
    again, is of a clock that was set since, or of another machine's: then it is taken to have ended as it started."""
    return finished_at if memory.backoff_since - AHEAD <= finished_at <= now + AHEAD else memory.backoff_since


def restart_at(memory: ContainerMemory, finished_at: float) -> float:
    """When a container that ended at `finished_at` (as `believed`) may start again."""
    return finished_at + current(memory, finished_at)


def current(memory: ContainerMemory, finished_at: float) -> float:
    """The wait after an end at `finished_at`, in seconds."""
    if finished_at - memory.backoff_since > FORGOTTEN_AFTER:
        return 0.0
    return memory.backoff


def extend(memory: ContainerMemory, finished_at: float, now: float) -> None:
    """Note that a container which ended at `finished_at` starts again now: the next wait is longer."""
    was = current(memory, believed(memory, finished_at, now))
    memory.backoff = min(LONGEST, was * 2) if was else FIRST
    memory.backoff_since = now


def retry_delay(failures: int) -> float:
    """Seconds until the next try after `failures` starts in a row failed."""
    return float(min(LONGEST, FIRST * 2.0 ** min(max(failures - 1, 0), 10)))
