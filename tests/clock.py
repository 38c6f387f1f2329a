"""A clock for tests: it stands still until a test moves it."""

from __future__ import annotations


class HandClock:
    """Wall-clock and monotonic time in one: `at`, in seconds since the epoch. Sleeping moves it."""

    def __init__(self, at: float = 1_700_000_000.0) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def move(self, seconds: float) -> None:
        self.at += max(0.0, seconds)
