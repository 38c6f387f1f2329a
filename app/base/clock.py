"""The clock: the one place that reads time.

Everything else is handed a `Clock` (or a plain `now`), so that a whole control plane can be run
from a seed with a clock that a test moves.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Where the present comes from."""

    def now(self) -> float:
        """Seconds since the epoch, as wall-clock time."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards, for measuring waits."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def rfc3339(now: float) -> str:
    """`metav1.Time` on the wire: whole seconds, UTC, `2026-01-31T12:00:00Z`."""
    return _whole(int(now))


@lru_cache(maxsize=256)
def _whole(seconds: int) -> str:
    # A batch of thousands of objects is written within one second.
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(now: float) -> str:
    """`metav1.MicroTime` on the wire: microseconds, UTC, `2026-01-31T12:00:00.000000Z`."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 time.

    Raises:
        ValueError: `text` is not an RFC 3339 time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} has no offset")
    return moment.timestamp()
