"""The dispatcher: reads the change log, and queues the work that the changes make.

Every control worker has one, and they share the log between them. None of them matters: whatever one
forgets, another takes over, a sweep finds, or the next resync looks at.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

from app.base.clock import Clock
from app.base.errors import LogTrimmed
from app.base.ids import Ids
from app.bus.drawn import DrawnOn
from app.bus.nudges import Nudger, nodes_concerned
from app.bus.resync import everything, spread
from app.bus.routing import Looks, Router
from app.bus.work import Ledger
from app.objects.change import Change, ReadView, Trace

log = logging.getLogger("beanpole.dispatch")


class Handed(Protocol):
    """What a feed hands out (see `app.store.feed.Batch`)."""

    @property
    def revisions(self) -> tuple[int, ...]: ...

    @property
    def behind(self) -> bool: ...


class LogFeed(Protocol):
    """The change log, shared between dispatchers (see `app.store.feed.Feed`)."""

    def join(self) -> bool: ...

    def read(self, block: float) -> Handed: ...

    def resume(self) -> Handed: ...

    def claim_stale(self, idle: float) -> Handed: ...

    def ack(self, revisions: Sequence[int]) -> None: ...


class FollowedView(ReadView, Protocol):
    """A view that can be caught up and remembers the last changes (see `app.store.view.View`)."""

    @property
    def lock(self) -> Any: ...

    def catch_up(self) -> list[Change]: ...

    def changes_since(self, revision: int) -> list[Change]: ...


class Publisher(Protocol):
    """Tells workers that there is work."""

    def publish(self, work: Sequence[tuple[str, str]]) -> None: ...


class Dispatcher:
    """One member of the group that reads the log.

    Args:
        lease: after so many seconds, entries that another member holds are taken over.
        resync: seconds in which every key is looked at once.
    """

    def __init__(
        self, feed: LogFeed, view: FollowedView, ledger: Ledger, publisher: Publisher, nudger: Nudger,
        roles: Sequence[Looks], clock: Clock, ids: Ids, *, lease: float, resync: float,
    ) -> None:  # fmt: skip
        self._feed = feed
        self._view = view
        self._ledger = ledger
        self._publisher = publisher
        self._nudger = nudger
        self._drawn = DrawnOn()
        self._roles = tuple(roles)
        self._router = Router(self._roles)
        self._clock = clock
        self._ids = ids
        self._lease = lease
        self._resync = resync

    def start(self) -> None:
        """Join, or begin again after an error. Whoever comes first of all looks at everything, since nobody saw
        what is in the log."""
        if self._feed.join():
            self.look_at_everything()
        while self._deal_with(self._feed.resume()):
            pass

    def step(self, block: float = 0.0) -> int:
        """Deal with the next entries, waiting up to `block` seconds for the first. Returns how many."""
        return self._deal_with(self._feed.read(block))

    def take_over(self) -> int:
        """Deal with entries that a dead member left. Returns how many."""
        return self._deal_with(self._feed.claim_stale(self._lease))

    def look_at_everything(self) -> int:
        """Queue every key of every role now. Returns how many were newly queued."""
        with self._view.lock:
            self._view.catch_up()
            work = everything(self._roles, self._view, Trace(self._ids.trace(), self._view.revision))
        queued = self._ledger.enqueue(work, self._clock.now())
        self._publisher.publish(queued)
        return len(queued)

    def resync(self) -> bool:
        """Spread every key of every role over the next interval, unless another dispatcher has already done
        so for this one. Says whether."""
        if not self._ledger.claim_resync(self._resync):
            return False
        with self._view.lock:
            self._view.catch_up()
            work = everything(self._roles, self._view, Trace(self._ids.trace(), self._view.revision))
        now = self._clock.now()
        self._ledger.schedule(spread(work, now, self._resync, self._ids), now)
        return True

    def _deal_with(self, batch: Handed) -> int:
        if batch.behind:
            log.warning(
                "changes were trimmed from the log before they were dispatched: looking at everything"
            )
            self.look_at_everything()
        if not batch.revisions:
            return 0
        try:
            with self._view.lock:
                changes = self._changes(batch.revisions)
                work = self._router.route_all(changes, self._view)
                nodes = nodes_concerned(changes, self._view, self._drawn)
        except LogTrimmed:
            log.warning("the log moved on past what was to be dispatched: looking at everything")
            self.look_at_everything()
        else:
            self._publisher.publish(self._ledger.enqueue(work, self._clock.now()) if work else [])
            self._nudger.tell(nodes)
        # Only now: had we died above, another member would do it all again, which does no harm.
        self._feed.ack(batch.revisions)
        return len(batch.revisions)

    def _changes(self, revisions: tuple[int, ...]) -> list[Change]:
        # Under the lock of the caller: what is routed is what the view shows.
        self._view.catch_up()
        wanted = frozenset(revisions)
        return [c for c in self._view.changes_since(min(revisions) - 1) if c.revision in wanted]
