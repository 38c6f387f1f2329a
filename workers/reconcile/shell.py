"""The shell around every plan: take the key, catch the view up, plan, commit, tell, look again.

Nothing in here decides anything about the cluster. Any instruction may be the last: what was committed stays,
what was not is planned again once the lease of the key has ended, and the fence keeps a worker that was taken
for dead from writing after its successor.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from app.base.clock import Clock
from app.base.errors import StoreUnavailable
from app.base.ids import Ids
from app.base.settings import Settings
from app.bus.work import Finished, Ledger, Outcome, Settled, Taken
from app.objects.change import Change, Object, ReadView, Trace, Write
from app.registry.admission.webhooks.calls import Caller
from app.store.store import Committed, Fence, Rejected, Stored
from workers.reconcile.admit import Admitted, Admitter
from workers.reconcile.events import EventWriter
from workers.reconcile.measured import Measure, measured
from workers.reconcile.ownership import accounted
from workers.reconcile.plan import EventNote, Plan, Refusal, Role
from workers.reconcile.prepare import prepare

log = logging.getLogger("beanpole.reconcile")

# Plans that others' writes overtake so often in a row back off and come again.
ATTEMPTS = 5
# Writes in one pipeline: a plan of thousands is committed piece by piece, in order.
CHUNK = 1000
# What parts the names in an Event's message.
_BETWEEN_NAMES = re.compile(r"[\s/\"',;:()]+")
# A key whose plan took long rests afterwards, so that an object of thousands of parts, each of which changes, takes a
# bounded share of a worker's time: so many times as long as the plan took, but never longer than that (seconds).
REST = 3.0
LONGEST_REST = 0.1
# Plans quicker than this don't matter. Seconds.
QUICK = 0.002
# What admission refused may be let in later: when quota is given back, or the rule changed. It is tried again after so
# many seconds.
REFUSED = 10.0
# What webhooks had no time to look at is planned anew so soon. Seconds.
AT_ONCE = 0.05
# Keys that are done are reported when so much time has passed, so that a batch costs few round trips and
# no key waits long for the others of its message. Seconds.
REPORT_EVERY = 0.02


class PlanStore(Protocol):
    """What the shell needs of `app.store.store.Store`."""

    def commit(
        self, writes: Sequence[Write], *, actor: str, trace: Trace, now: float, fence: Fence | None = None
    ) -> list[Committed | Rejected]: ...

    def get_many(self, wanted: Sequence[tuple[str, str]]) -> list[Stored | None]: ...


class PlanView(ReadView, Protocol):
    """What the shell needs of `app.store.view.View`."""

    @property
    def lock(self) -> Any: ...

    def catch_up(self) -> list[Change]: ...


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a message.

    Attributes:
        taken: keys that were this worker's to run. publish: work to publish, because it came meanwhile.
        next_due: the earliest time that was set for one to be looked at again.
    """

    taken: int = 0
    publish: tuple[tuple[str, str], ...] = ()
    next_due: float | None = None


class Lost(Exception):
    """The lease ended: another worker has, or will have, the key."""


class Reconciler:
    """Runs roles' plans against a store.

    Args:
        worker: this worker's name in the tokens of what it runs.
        settings: what admission goes by. webhooks: what calls those of admission; None if none may be called.
        measure: what tells what nodes and pods use, to roles that go by it; None: they see nothing of it.
    """

    def __init__(
        self, store: PlanStore, view: PlanView, ledger: Ledger, roles: Iterable[Role], clock: Clock, ids: Ids, *,
        worker: str = "worker", settings: Settings | None = None, webhooks: Caller | None = None,
        measure: Measure | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._view = view
        self._ledger = ledger
        self._roles = {role.name: role for role in roles}
        self._clock = clock
        self._ids = ids
        self._worker = worker
        self._measure = measure
        self._admitter = Admitter(view, settings or Settings(), clock, ids, webhooks)
        self._owed: list[Finished] = []
        self._owed_lock = threading.Lock()
        self._events = EventWriter(store, lambda key: view.get("events", key), clock, ids)

    def run(self, role_name: str, keys: Sequence[str]) -> Ran:
        """Run those of the keys that are queued and that nobody runs.

        Raises:
            StoreUnavailable: the keys that were not run are given back by the next `settle`, or by the end of
                their leases.
        """
        role = self._roles.get(role_name)
        if role is None:
            # A worker of another version knows this role; the message comes again when it counts as lost.
            log.warning("no role %s here: %d keys left to others", role_name, len(keys))
            return Ran()
        sight = measured(self._view, self._measure) if role.measures else self._view
        taken = self._ledger.take(role_name, keys, self._worker, self._clock.now())
        report = _Report(self._ledger, self._clock)
        notes: list[tuple[EventNote, Trace]] = []
        done = 0
        try:
            for held in taken:
                finished = self._run_one(role, held, sight, notes)
                done += 1
                if finished is not None:
                    report.add(finished)
            report.send()
        except BaseException:
            # Stopped in between, by a signal or because Redis went away: others need not wait for the leases.
            self._owe([*report.pending, *(Finished(held, Outcome.RELEASED) for held in taken[done:])])
            raise
        self._events.write(role.name, notes)
        return Ran(len(taken), tuple(report.publish), report.next_due)

    def settle(self) -> Ran:
        """Report the runs that could not be reported when Redis was away. Raises StoreUnavailable, still."""
        with self._owed_lock:
            if not self._owed:
                return Ran()
            settled = self._ledger.done(self._owed, self._clock.now())
            self._owed = []
        return Ran(0, settled.publish, settled.next_due)

    def _owe(self, finished: list[Finished]) -> None:
        with self._owed_lock:
            self._owed += finished

    def _run_one(
        self, role: Role, held: Taken, sight: ReadView, notes: list[tuple[EventNote, Trace]]
    ) -> Finished | None:
        try:
            plan, settled, took = self._reconcile(role, held, sight, notes)
        except Lost:
            log.warning(
                "%s %s: the lease ended while it was being decided; left to others", role.name, held.key
            )
            return None
        except StoreUnavailable:
            raise
        except Exception as exc:
            log.exception("%s %s: failed", role.name, held.key)
            notes += [(note, held.trace) for note in self._failure(role, held.key, exc)]
            return Finished(held, Outcome.FAILED)
        if not settled:
            log.info("%s %s: others keep writing; backing off", role.name, held.key)
            return Finished(held, Outcome.RETRIED, plan.requeue_after)
        return Finished(held, Outcome.PROCESSED, plan.requeue_after, rest_after(took))

    def _reconcile(
        self, role: Role, held: Taken, sight: ReadView, notes: list[tuple[EventNote, Trace]]
    ) -> tuple[Plan, bool, float]:
        """Plan on what `sight` shows of the view, and commit, until nothing is rejected. The last plan, whether it
        went through, and how many seconds planning took."""
        plan, took = Plan(), 0.0
        for _ in range(ATTEMPTS):
            with self._view.lock:
                self._view.catch_up()
                began, now = self._clock.monotonic(), self._clock.now()
                plan = role.plan(sight, held.key, now)
                writes = prepare(plan.writes, self._view, now, self._ids)
                writes = accounted(writes, self._view, role.name, now)
                took += self._clock.monotonic() - began
                revision = self._view.revision
            admitted = self._admitter.admit(role.name, writes, revision)
            rejected = self._commit(role, held, admitted.writes, now)
            if admitted.refused:
                self._tell_refused(role, held, admitted)
            undone = [*rejected, *(write for write, _ in admitted.refused), *admitted.later]
            told = [*_still_true(plan.events, writes, undone), *admitted.notes(self._view)]
            notes += [(note, held.trace) for note in told]
            if log.isEnabledFor(logging.DEBUG) and writes:
                log.debug(
                    "%s %s: %d writes, %d rejected: %s",
                    role.name,
                    held.key,
                    len(writes),
                    len(rejected),
                    plan.reason,
                )
            if not rejected:
                if admitted.refused or admitted.later:
                    soon = AT_ONCE if admitted.later else REFUSED
                    plan = replace(plan, requeue_after=min(plan.requeue_after or soon, soon))
                return plan, True, took
        return plan, False, took

    def _tell_refused(self, role: Role, held: Taken, admitted: Admitted) -> None:
        """Let the role write down what admission refused. Raises Lost."""
        if role.refused is None:
            return
        refusals = [Refusal(write, error.message) for write, error in admitted.refused]
        with self._view.lock:
            self._view.catch_up()
            now = self._clock.now()
            told = role.refused(self._view, held.key, refusals, now)
            writes = prepare(told, self._view, now, self._ids)
        # Overtaken by others it is written the next time: what was refused is tried again.
        self._commit(role, held, writes, now)

    def _commit(self, role: Role, held: Taken, writes: list[Write], now: float) -> list[Write]:
        """Commit in pieces; returns the writes that were rejected. Raises Lost."""
        fence = Fence(held.field, held.token)
        rejected: list[Write] = []
        for piece in _pieces(writes):
            results = self._store.commit(piece, actor=role.name, trace=held.trace, now=now, fence=fence)
            for write, result in zip(piece, results, strict=True):
                if isinstance(result, Rejected):
                    if result.why == "fenced":
                        raise Lost
                    rejected.append(write)
        return rejected

    def _failure(self, role: Role, key: str, exc: Exception) -> list[EventNote]:
        """The Event by which a user learns of a plan that failed, on the object that the key names."""
        for interest in role.interests:
            obj = self._view.get(interest.resource, key)
            if obj is not None:
                text = f"{role.name} could not decide what to do: {type(exc).__name__}: {exc}"
                return [EventNote(obj, "FailedReconcile", text, "Warning")]
        return []


class _Report:
    """Tells the ledger of finished runs, several at once."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._last = clock.monotonic()
        self.pending: list[Finished] = []
        self.publish: list[tuple[str, str]] = []
        self.next_due: float | None = None

    def add(self, finished: Finished) -> None:
        self.pending.append(finished)
        if self._clock.monotonic() - self._last >= REPORT_EVERY:
            self.send()

    def send(self) -> None:
        self._last = self._clock.monotonic()
        if not self.pending:
            return
        settled: Settled = self._ledger.done(self.pending, self._clock.now())
        self.pending = []
        self.publish += settled.publish
        if settled.next_due is not None and (self.next_due is None or settled.next_due < self.next_due):
            self.next_due = settled.next_due


def rest_after(took: float) -> float:
    """How long a key rests after a plan that took so long. Seconds."""
    return 0.0 if took < QUICK else min(REST * took, LONGEST_REST)


def _pieces(writes: list[Write]) -> Iterator[list[Write]]:
    """The writes, pipeline by pipeline. Binds stay together: the store takes those of one call for one batch, and
    refuses a bind to a node where another batch was first."""
    together = any(write.bind for write in writes)
    size = max(len(writes), 1) if together else CHUNK
    for start in range(0, len(writes), size):
        yield writes[start : start + size]


def _still_true(events: Iterable[EventNote], writes: list[Write], rejected: list[Write]) -> list[EventNote]:
    """The notes of a plan that some rejected writes did not make false.

    A note tells of a write if it is about its object or names it. Where nothing was written, nothing
    happened that could be told; the next plan tells its own.
    """
    if not rejected:
        return list(events)
    if len(rejected) == len(writes):
        return []
    uids = {_uid(write.obj) for write in rejected}
    names = {str(write.obj["metadata"]["name"]) for write in rejected}
    return [
        note
        for note in events
        if _uid(note.regarding) not in uids and names.isdisjoint(_BETWEEN_NAMES.split(note.message))
    ]


def _uid(obj: Object) -> str:
    return str(obj["metadata"].get("uid") or "")
