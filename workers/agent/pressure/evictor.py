"""Looks at what the machine is short of, and ends pods, one at a time, until it no longer is.

Before a pod goes for its disk, what nobody needs is removed. See `eviction` for who goes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping

from workers.agent.jobs import Jobs
from workers.agent.pressure import signals
from workers.agent.pressure.disk_usage import DISK
from workers.agent.pressure.ending import AT_ONCE, evict, is_over
from workers.agent.pressure.eviction import Candidate, Pressure, Shortage, attempt, look, message, rank
from workers.agent.pressure.free_disk import free_disk
from workers.agent.pressure.thresholds import CONDITIONS, MEMORY, PIDS, RESOURCES, Level, Threshold
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import ContainerError, State

log = logging.getLogger("beanpole.agent")

# While the machine is short of something, it is looked at as often as this. Seconds.
PRESSED = 2.0
# If there is nothing to be done about it, only so often. Seconds.
IN_VAIN = 10.0
# A pod that goes is waited for no longer than this beyond its grace period (kubelet: podCleanupTimeout). Seconds.
WAIT = 30.0
Amounts = dict[str, dict[str, int]]


class Evictor:
    """See the module.

    Args:
        records: the node's pods. wake: look at one of them. changed: what the machine is short of did.

    Attributes:
        conditions: those of the node that tell what it is short of.
        disk_used: what a pod uses of the disk, by container, its volumes under names that no container has; None where
            nobody can tell.
    """

    def __init__(
        self,
        around: Surroundings,
        jobs: Jobs,
        records: Callable[[], Collection[Record]],
        wake: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self._around, self._jobs, self._records = around, jobs, records
        self._wake, self._changed = wake, changed
        self._pressure = Pressure()
        self._lock = threading.Lock()
        self._going: tuple[Record, float] | None = None
        self.conditions: frozenset[str] = frozenset()
        self.disk_used: Callable[[Record], Mapping[str, int]] | None = None

    def look(self) -> frozenset[str]:
        """The conditions as they are now. If something is to be done, that begins."""
        self._look()
        if self._pressure.since:
            self._soon(0.0)
        return self.conditions

    def _look(self) -> tuple[Shortage, Mapping[str, Level]]:
        around = self._around
        with self._lock:
            levels = signals.read(around.runtime, around.settings.state_dir)
            transition = around.settings.eviction_transition
            thresholds = around.registered.thresholds
            found = look(thresholds, levels, self._pressure, around.clock.now(), transition)
            self.conditions = found.conditions
            return found, levels

    def _soon(self, delay: float) -> None:
        self._jobs.after(("evict", self._around.node), delay, self._act, "node")

    def _act(self) -> None:
        before = self.conditions
        shortage, levels = self._look()
        if shortage.conditions != before:
            self._changed()
        if not self._pressure.since:
            return
        idle = bool(shortage.due) and not self._is_waiting() and not self._relieve(shortage, levels)
        self._soon(IN_VAIN if idle else PRESSED)

    def _relieve(self, shortage: Shortage, levels: Mapping[str, Level]) -> bool:
        """Do something about the first threshold that is due. False if nothing could be done."""
        threshold = shortage.due[0]
        node = {"kind": "Node", "metadata": {"name": self._around.node}}
        self._around.notes.tell(node, "EvictionThresholdMet", attempt(threshold), warning=True)
        if CONDITIONS[threshold.signal] == "DiskPressure":
            free_disk(self._around, self._records())
            shortage, levels = self._look()
            if threshold not in shortage.due:
                return True
        return self._evict(threshold, levels[threshold.signal])

    def _is_waiting(self) -> bool:
        """Whether the pod that was last told to go is still there: what it gives back is not seen yet."""
        if self._going is None:
            return False
        record, until = self._going
        try:
            state = self._around.runtime.pod(record.uid)
        except ContainerError:
            state = None
        running = state is not None and any(c.state is State.RUNNING for c in state.containers)
        if running and self._around.clock.now() < until:
            return True
        self._going = None
        return False

    def _evict(self, threshold: Threshold, level: Level) -> bool:
        around = self._around
        records = {r.uid: r for r in self._records() if not is_over(r) and not r.unknown}
        ranked = rank(threshold.signal, self._candidates(threshold.signal, records))
        seconds = around.settings.eviction_grace if threshold.soft else AT_ONCE
        for candidate in ranked:
            record = records[candidate.pod["metadata"]["uid"]]
            if evict(around, record, message(threshold, level, candidate), seconds):
                name = record.pod["metadata"]["name"]
                log.warning("%s: %s is short: evicting pod %s", around.node, threshold.signal, name)
                self._going = record, around.clock.now() + (record.memory.end_grace or 0.0) + WAIT
                self._wake(record.uid)
                return True
        log.warning("%s: %s is short, and no pod may be evicted", around.node, threshold.signal)
        return False

    def _candidates(self, signal: str, records: Mapping[str, Record]) -> list[Candidate]:
        if signal in (MEMORY, PIDS):
            used = self._running()
        elif RESOURCES[signal] == DISK and self.disk_used is not None:
            tell = self.disk_used
            used = {
                uid: {name: {DISK: size} for name, size in tell(record).items()}
                for uid, record in records.items()
            }
        else:
            used = {}
        return [
            Candidate(record.pod, _sum(used.get(uid)), used.get(uid) or {}) for uid, record in records.items()
        ]

    def _running(self) -> dict[str, Amounts]:
        """What running containers use now, by pod and container."""
        try:
            usage = self._around.runtime.usage()
        except ContainerError as exc:
            log.warning("%s: what pods use can't be told: %s", self._around.node, exc.message)
            return {}
        found: dict[str, Amounts] = {}
        for each in usage.containers:
            pids = {"pids": each.pids} if each.pids else {}
            found.setdefault(each.pod.uid, {})[each.container] = {"memory": each.memory, **pids}
        return found


def _sum(by_container: Amounts | None) -> dict[str, int] | None:
    if by_container is None:
        return None
    total: dict[str, int] = {}
    for used in by_container.values():
        for resource, amount in used.items():
            total[resource] = total.get(resource, 0) + amount
    return total
