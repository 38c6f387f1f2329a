"""How simulated containers end, by themselves or by being told, and who hears of it."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from dataclasses import replace

from app.base.clock import Clock
from workers.runtime.protocol import ContainerError, State
from workers.runtime.simulated.machine import Container, Machine

# How often a blocked `events` looks at a clock that may be moved by hand, in real seconds.
LOOK = 0.05


class Deaths:
    """The ends of one machine's containers.

    Attributes:
        changed: held by whoever looks at the machine or changes it; notified of every end and every crash to come.
    """

    def __init__(self, machine: Machine, clock: Clock, node: str) -> None:
        self._machine, self._clock, self._node = machine, clock, node
        self.changed = threading.Condition(threading.RLock())
        self._died: list[str] = []
        self.closed = False

    def died(self) -> list[str]:
        """The uids of pods of which a container died since this (or `events`) last said so. Never
        blocks: for whoever runs many nodes in one thread."""
        with self.changed:
            self.settle()
            uids, self._died = self._died, []
            return uids

    def events(self) -> Iterator[str]:
        """See `Runtime.events`."""
        while True:
            with self.changed:
                while not self.closed and self._machine.reachable:
                    uids = self.died()
                    if uids:
                        break
                    # Nothing can die unasked while no crash is due, so sleep until told.
                    self.changed.wait(LOOK if self._machine.crashes else None)
                else:
                    return
            yield from uids

    def close(self) -> None:
        """End `events`."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def settle(self) -> None:
        """End the containers whose time has come. Raises ContainerError: the engine is down."""
        self.check()
        crashes = self._machine.crashes
        while crashes and crashes[0][0] <= self._clock.now():
            at, uid, container_id = heapq.heappop(crashes)
            pod = self._machine.pods.get(uid)
            for container in pod.containers if pod else ():
                if container.state.id == container_id and container.crash_at == at:
                    self.end(uid, container, container.crash_code, at)

    def end(self, uid: str, container: Container, code: int, at: float | None = None) -> None:
        """The container ends, at the time `at` (now, if not given)."""
        if container.state.state is State.EXITED:
            return
        at = self._clock.now() if at is None else at
        container.state = replace(container.state, state=State.EXITED, exit_code=code, finished_at=at)
        self._died.append(uid)
        self.changed.notify_all()

    def reach(self, reachable: bool) -> None:
        """Take the simulated engine down, or bring it back: meanwhile calls fail and `events` ends."""
        with self.changed:
            self._machine.reachable = reachable
            self.changed.notify_all()

    def check(self) -> None:
        """Raises ContainerError: the engine is down."""
        if not self._machine.reachable:
            raise ContainerError("RuntimeUnavailable", f"the simulated engine of node {self._node} is down")
