"""The sweeper: queues what falls due, without waking an idle machine more than that takes."""

from __future__ import annotations

import math
import threading

from app.base.clock import Clock
from app.bus.dispatcher import Publisher
from app.bus.work import Ledger

# What other processes scheduled waits no longer than this beyond its time. Seconds.
LONGEST_WAIT = 1.0


class Sweeper:
    """Sweeps the ledger whenever the next time in it has come.

    Every control worker has one. Two that sweep at once do no harm: each piece of work goes to one.
    """

    def __init__(self, ledger: Ledger, publisher: Publisher, clock: Clock) -> None:
        self._ledger = ledger
        self._publisher = publisher
        self._clock = clock
        self._condition = threading.Condition()
        self._deadline = math.inf

    def step(self) -> float:
        """Sweep once; returns the seconds after which to sweep again."""
        with self._condition:
            # What is expected from here on may come too late for this sweep, and counts for the wait after it.
            self._deadline = math.inf
        publish, next_time = self._ledger.sweep(self._clock.now())
        self._publisher.publish(publish)
        wait = LONGEST_WAIT if next_time is None else next_time - self._clock.now()
        return min(max(wait, 0.0), LONGEST_WAIT)

    def expect(self, at: float | None) -> None:
        """Somebody in this process scheduled something for `at` (seconds since the epoch; None: nothing):
        be there in time. An `at` in the past ends the wait."""
        if at is None:
            return
        with self._condition:
            deadline = self._clock.monotonic() + at - self._clock.now()
            if deadline < self._deadline:
                self._deadline = deadline
                self._condition.notify()

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass, or less if something is expected earlier."""
        with self._condition:
            self._deadline = min(self._deadline, self._clock.monotonic() + seconds)
            while (left := self._deadline - self._clock.monotonic()) > 0:
                self._condition.wait(left)
