"""What a node and its pods use, from one reading to the next: what `kubectl top` and autoscalers go by.

A runtime counts what was used of cpu since a container started; used *now* is what it grew by between two readings.
A container that started since the last one is measured from its start, once that was not just now.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from app.base.clock import Clock
from app.objects.change import Object
from workers.agent.jobs import Jobs
from workers.runtime.protocol import ContainerError, ContainerUsage, Runtime, Usage

log = logging.getLogger("beanpole.agent")

# What a container used in less time tells of its start and not of its work. Seconds (metrics-server:
# freshContainerMinMetricsResolution). So soon comes the second reading of an agent.
FRESH = 10.0
SOON = 3.0
# What is told of so many pods takes as much of a request as the status of one.
PODS_IN_A_STATUS = 20


@dataclass(frozen=True, slots=True)
class _Reading:
    """`at` is of a clock that only goes forward, `now` in seconds since the epoch."""

    usage: Usage
    at: float
    now: float
    by_id: Mapping[str, ContainerUsage]


class UsageMeter:
    """Reads a runtime now and then, and keeps what follows from the last two readings until it is taken. It goes up
    with the next exchange, and is no reason for one.

    Args:
        node: whose runtime that is. period: seconds between readings; 0: never.
    """

    def __init__(self, node: str, runtime: Runtime, clock: Clock, jobs: Jobs, period: float) -> None:
        self._node, self._runtime, self._clock, self._jobs, self._period = node, runtime, clock, jobs, period
        self._lock = threading.Lock()
        self._last: _Reading | None = None
        self._report: tuple[float, Object] | None = None

    def begin(self) -> None:
        """Read from now on."""
        if self._period > 0:
            self._again(0.0)

    def _again(self, delay: float) -> None:
        self._jobs.after(("usage", self._node), delay, self._run, "node")

    def _run(self) -> None:
        delay = self._period
        try:
            delay = self._measure()
        except ContainerError as exc:
            log.debug("%s: what is used can't be told: %s", self._node, exc.message)
        finally:
            self._again(delay)

    def _measure(self) -> float:
        """Read; in how many seconds to read again. Raises ContainerError."""
        usage = self._runtime.usage()
        by_id = {each.id: each for each in usage.containers}
        fresh = _Reading(usage, self._clock.monotonic(), self._clock.now(), by_id)
        before, self._last = self._last, fresh
        if before is None or fresh.at <= before.at:
            return min(self._period, SOON)
        with self._lock:
            self._report = (fresh.at, _between(before, fresh, min(FRESH, self._period)))
        return self._period

    @property
    def weight(self) -> int:
        """How much there is to take, in statuses of pods."""
        report = self._report
        return len(report[1]["pods"]) // PODS_IN_A_STATUS if report else 0

    def take(self) -> Object | None:
        """What is to be reported, with its age in seconds; None if nothing is new."""
        with self._lock:
            report, self._report = self._report, None
        if report is None:
            return None
        return {**report[1], "age": max(0.0, self._clock.monotonic() - report[0])}


def _between(before: _Reading, now: _Reading, fresh: float) -> Object:
    """What was used between two readings: cpu in billionths of one, memory in bytes, spans in seconds."""
    window = now.at - before.at
    pods: dict[str, Object] = {}
    incomplete = set()
    for each in now.usage.containers:
        known = before.by_id.get(each.id)
        # Clocks of machine and engine may differ a little; a container is not older than this reading.
        span = window if known else now.now - each.started_at
        since = known.cpu if known else 0
        if known is None and (span < fresh or each.started_at < before.now):
            incomplete.add(each.pod.uid)
            continue
        pod = pods.setdefault(each.pod.uid, {"uid": each.pod.uid, "window": span, "containers": {}})
        pod["window"] = min(pod["window"], span)
        # Time of children that nobody waited for is lost with them: a sum that shrank tells nothing.
        rate = int(max(0, each.cpu - since) / span)
        pod["containers"][each.container] = [rate, each.memory]
    return {
        "window": window,
        "cpu": int(max(0, now.usage.cpu - before.usage.cpu) / window),
        "memory": now.usage.memory,
        "pods": [pod for uid, pod in pods.items() if uid not in incomplete],
    }
