"""Terms of the work queue, and the ledger behind it as the bus and the workers need it.

*Single flight*: a piece of work, `(role, key)`, is queued at most once and run by at most one worker;
what arrives while it runs makes it run once more afterwards. Messages are hints: the ledger knows what
is queued, so a lost one is sent again and a doubled one finds nothing to take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.objects.change import Trace

NO_TRACE = Trace("")


@dataclass(frozen=True, slots=True)
class Work:
    """A key that a role is to look at, and what led there."""

    role: str
    key: str
    trace: Trace = NO_TRACE


@dataclass(frozen=True, slots=True)
class Delayed:
    """Work to be queued at `at`, in seconds since the epoch."""

    work: Work
    at: float


class Outcome(StrEnum):
    """How a run ended.

    `retried`: others kept writing in between, so it backs off; `released`: it was not run, and goes back
    into the queue at once.
    """

    PROCESSED = "processed"
    FAILED = "failed"
    RETRIED = "retried"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Taken:
    """Work that this worker holds until its lease ends: `token` proves it, `field` names it where the
    store's commits check it."""

    role: str
    key: str
    field: str
    token: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a run: how, after how many seconds the key is looked at again whatever happens, and in how many
    it is not, however much work comes for it."""

    taken: Taken
    outcome: Outcome = Outcome.PROCESSED
    again_after: float | None = None
    rest: float = 0.0


@dataclass(frozen=True, slots=True)
class Settled:
    """What the ledger made of finished runs.

    Attributes:
        publish: work that came meanwhile and is queued again. lost: runs whose lease had ended.
        next_due: the earliest time at which some of it falls due, in seconds since the epoch.
    """

    publish: tuple[tuple[str, str], ...] = ()
    lost: tuple[tuple[str, str], ...] = ()
    next_due: float | None = None


class Ledger(Protocol):
    """Who is to look at which key, and who does."""

    def enqueue(self, work: Sequence[Work], now: float) -> list[tuple[str, str]]:
        """Queue work; `(role, key)` of what was neither queued nor running, to be published."""
        ...

    def schedule(self, work: Sequence[Delayed], now: float) -> None:
        """Queue work later. Of two times for one key the earlier holds."""
        ...

    def take(self, role: str, keys: Sequence[str], worker: str, now: float) -> list[Taken]:
        """Begin to run those of the keys that are queued."""
        ...

    def done(self, finished: Sequence[Finished], now: float) -> Settled:
        """End runs."""
        ...

    def sweep(self, now: float) -> tuple[list[tuple[str, str]], float | None]:
        """Queue what is due, what dead workers held and what was queued so long ago that its message may be
        lost; `(role, key)` to publish, and the time at which there is more to sweep."""
        ...

    def claim_resync(self, interval: float) -> bool:
        """Whether the caller is the one to look at everything now; the next one may after `interval` seconds."""
        ...
