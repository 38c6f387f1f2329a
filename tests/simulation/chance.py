"""Chance and time of a simulated world: all of it follows from the seed."""

from __future__ import annotations

import random


class MovedClock:
    """A clock that stands still until somebody moves it."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def move(self, seconds: float) -> None:
        self._now += max(0.0, seconds)


class Chance(random.Random):
    """A random source with the words that a script of faults needs."""

    def happens(self, probability: float) -> bool:
        return self.random() < probability
