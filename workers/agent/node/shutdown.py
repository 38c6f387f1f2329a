"""Ending a node's pods before its machine goes: first those that others can do without, then critical ones.

The node says that it is shutting down, so that nothing is sent to it or bound to it any more. Each pod gets its own grace
period, and no more than its turn lasts; then it has Failed, as `Terminated`, and whoever made it makes another elsewhere.
https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#graceful-node-shutdown
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection

from app.objects.pods import is_terminal
from workers.agent.jobs import Jobs
from workers.agent.pod import is_critical, is_static
from workers.agent.pressure.ending import SHUTDOWN, TERMINATED, terminate
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings

log = logging.getLogger("beanpole.agent")

# How often it is seen who has ended. Seconds.
LOOK = 0.2
# What a turn may last beyond its time, for containers that were killed at its end. Seconds.
SLACK = 2.0
# How long the API may take to hear of it. Seconds.
HEARD = 5.0


class Shutdown:
    """See the module.

    Args:
        records: the node's pods. wake: look at one. changed: the node's standing did. heard: whether the API has been
            told everything.

    Attributes:
        done: set when there is nothing more to wait for: all pods have ended, and the API knows; or the machine stays.
    """

    def __init__(
        self,
        around: Surroundings,
        jobs: Jobs,
        records: Callable[[], Collection[Record]],
        wake: Callable[[str], None],
        changed: Callable[[], None],
        heard: Callable[[], bool],
    ) -> None:
        self._around, self._jobs, self._records = around, jobs, records
        self._wake, self._changed, self._heard = wake, changed, heard
        self._lock = threading.Lock()
        self._turns: list[tuple[bool, float]] = []
        self._until = 0.0
        self.done = threading.Event()

    def begin(self) -> None:
        """The machine is about to go. Being told again changes nothing."""
        around = self._around
        with self._lock:
            if around.leaving:
                return
            around.leaving = True
            self.done.clear()
            log.warning("%s: the machine is shutting down; its pods are ended", around.node)
            last = max(0.0, min(around.settings.shutdown_critical, around.settings.shutdown_grace))
            self._turns = [(False, around.settings.shutdown_grace - last), (True, last)]
            self._until = 0.0
        self._soon(0.0)
        self._tell()

    def cancel(self) -> None:
        """The machine stays. Pods that were ended stay so, but for static ones, which nobody else would begin again."""
        around = self._around
        with self._lock:
            if not around.leaving:
                return
            around.leaving = False
            self._turns = []
            self._jobs.cancel(("shutdown", around.node))
            self.done.set()
        for record in self._records():
            if is_static(record.ordered) and record.memory.failed is not None and not record.deleting:
                record.again = True
                self._wake(record.uid)
        self._tell()

    def _tell(self) -> None:
        """In a job of its own, for it asks the runtime, which may hang: whoever is at the machine is answered at once."""
        self._jobs.after(("standing", self._around.node), 0.0, self._changed, "node")

    def _soon(self, delay: float) -> None:
        self._jobs.after(("shutdown", self._around.node), delay, self._step, "node")

    def _step(self) -> None:
        with self._lock:
            # Unless it was called off just now.
            if self._around.leaving:
                self._go_on()

    def _go_on(self) -> None:
        now = self._around.clock.now()
        if self._until and self._turns and (now >= self._until or not self._left(self._turns[0][0])):
            self._turns.pop(0)
            self._until = 0.0
        if not self._turns:
            self._end(now)
            return
        if not self._until:
            critical, seconds = self._turns[0]
            self._until = now + seconds + SLACK
            for record in self._left(critical):
                if terminate(record, TERMINATED, SHUTDOWN, seconds):
                    self._wake(record.uid)
        self._soon(LOOK)

    def _end(self, now: float) -> None:
        """All have ended; see that the API hears of it."""
        self._until = self._until or now + HEARD
        if self._heard() or now >= self._until:
            log.warning("%s: its pods have ended", self._around.node)
            self.done.set()
            return
        self._soon(LOOK)

    def _left(self, critical: bool) -> list[Record]:
        """The pods of which something may still run."""
        return [
            r
            for r in self._records()
            if is_critical(r.ordered) == critical and not r.finished and not is_terminal(r.pod)
        ]
