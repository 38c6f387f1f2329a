"""Chance in a simulated world: all of it follows from the seed."""

from __future__ import annotations

import random


class Chance(random.Random):
    """A random source with the words that a script of faults needs."""

    def happens(self, probability: float) -> bool:
        return self.random() < probability
