"""What a container may use of its machine, as runtimes are told and as they tell.

The formulas are kubelet's: https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/cm/helpers_linux.go
"""

from __future__ import annotations

from dataclasses import dataclass

# The least and the greatest share of the cpu that Linux takes, and what 1000 millicores are.
MIN_SHARES, MAX_SHARES, CPU_SHARES = 2, 262_144, 1024
# Time on a cpu is counted out in periods of this length, and not less of each than that. Microseconds.
PERIOD, MIN_QUOTA = 100_000, 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """What of a container can be changed while it runs.

    Attributes:
        cpu_shares: its weight among others. cpu_millis, memory_bytes: what it may not exceed; 0: nothing says so.
    """

    cpu_shares: int = MIN_SHARES
    cpu_millis: int = 0
    memory_bytes: int = 0

    @property
    def cpu_quota(self) -> int:
        """Microseconds of cpu in each `PERIOD`; 0: as many as there are."""
        return self.cpu_millis * PERIOD // 1000


def limits(request: int, cpu: int, memory: int) -> Limits:
    """The limits of a container that asks for `request` millicores and may use `cpu` of them and `memory` bytes; 0 for
    none. Less than Linux counts out is rounded up."""
    least = MIN_QUOTA * 1000 // PERIOD
    return Limits(shares(request), max(least, cpu) if cpu else 0, memory)


@dataclass(frozen=True, slots=True)
class Resources:
    """What of a container is settled when it starts.

    Attributes:
        pids: how many processes and threads it may have; 0: nothing says so.
        oom_score_adj: how readily the kernel ends it when memory runs out: -1000 never, 1000 first.
        gpus: the ids of the GPUs that are its own.
    """

    pids: int = 0
    oom_score_adj: int = 0
    gpus: tuple[str, ...] = ()


NO_RESOURCES = Resources()


def shares(millis: int) -> int:
    """The weight of a request of so many millicores."""
    return min(MAX_SHARES, max(MIN_SHARES, millis * CPU_SHARES // 1000))


def millis_of_shares(number: int) -> int:
    """The request that a weight stands for, rounded up; none for the least."""
    return 0 if number <= MIN_SHARES else -(-number * 1000 // CPU_SHARES)


def millis_of_quota(quota: int, period: int = PERIOD) -> int:
    """The limit that a quota stands for, in millicores; 0: none."""
    return -(-quota * 1000 // period) if quota > 0 and period > 0 else 0
