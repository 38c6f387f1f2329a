"""The work ledger: single flight, and nothing lost, whatever happens to messages and workers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.base.ids import RandomIds
from app.bus.work import Delayed, Finished, Outcome, Taken, Work
from app.objects.change import Trace, Verb, Write
from app.store.store import Committed, Fence, Rejected, Store
from app.store.work import BACKOFF_BASE, BACKOFF_CAP, WorkLedger

LEASE = 60.0
LOST_AFTER = 10.0
KEY = ("rs", "default/web")
WORK = Work(*KEY, Trace("t1", 7))


@pytest.fixture
def ledger(store: Store) -> WorkLedger:
    return WorkLedger(store, RandomIds(1), lease=LEASE, lost_after=LOST_AFTER)


def take(ledger: WorkLedger, now: float, worker: str = "w1") -> list[Taken]:
    return ledger.take(KEY[0], [KEY[1]], worker, now)


def test_a_key_is_queued_once_however_often_it_is_enqueued(ledger: WorkLedger) -> None:
    assert ledger.enqueue([WORK, WORK], 0.0) == [KEY]
    assert ledger.enqueue([WORK], 1.0) == []
    assert ledger.depth() == {"rs": 1}


def test_a_doubled_message_finds_nothing_to_take(ledger: WorkLedger) -> None:
    ledger.enqueue([WORK], 0.0)
    assert [t.key for t in take(ledger, 0.0)] == ["default/web"]
    assert take(ledger, 0.0, "w2") == []
    assert ledger.depth() == {}


def test_taken_work_carries_the_trace_that_it_was_queued_with(ledger: WorkLedger) -> None:
    ledger.enqueue([WORK], 0.0)
    assert take(ledger, 0.0)[0].trace == Trace("t1", 7)


def test_work_that_comes_while_it_runs_makes_it_run_once_more(ledger: WorkLedger) -> None:
    ledger.enqueue([WORK], 0.0)
    held = take(ledger, 0.0)
    assert ledger.enqueue([Work(*KEY, Trace("t2", 9))], 0.1) == []
    assert ledger.enqueue([Work(*KEY, Trace("t3", 11))], 0.2) == []
    assert ledger.done([Finished(held[0])], 0.3).publish == (KEY,)
    again = take(ledger, 0.4)
    assert again[0].trace == Trace("t3", 11)
    assert ledger.done([Finished(again[0])], 0.5).publish == ()


def test_a_dead_workers_key_runs_again_after_its_lease(ledger: WorkLedger) -> None:
    ledger.enqueue([WORK], 0.0)
    take(ledger, 0.0)
    assert ledger.sweep(LEASE - 1)[0] == []
    assert ledger.sweep(LEASE)[0] == [KEY]
    assert [t.key for t in take(ledger, LEASE, "w2")] == ["default/web"]
    assert ledger.counters() == {("rs", "expired"): 1}


def test_a_worker_that_comes_back_under_its_name_gives_its_former_keys_free(ledger: WorkLedger) -> None:
    ledger.enqueue([WORK, Work("rs", "other")], 0.0)
    take(ledger, 0.0, "control@a")
    ledger.take("rs", ["other"], "control@b", 0.0)
    ledger.bury("control@a", 1.0)
    assert ledger.sweep(1.0)[0] == [KEY]
    assert list(ledger.running()) == [("rs", "other")]


def test_a_worker_taken_for_dead_can_neither_finish_nor_write(ledger: WorkLedger, store: Store) -> None:
    ledger.enqueue([WORK], 0.0)
    dead = take(ledger, 0.0)[0]
    ledger.sweep(LEASE)
    alive = take(ledger, LEASE, "w2")[0]
    obj = {"metadata": {"name": "a", "namespace": "default"}}
    write = Write(Verb.CREATE, "configmaps", "default/a", obj)

    fenced = store.commit([write], actor="rs", trace=dead.trace, now=0.0, fence=Fence(dead.field, dead.token))
    assert fenced == [Rejected("fenced")]
    assert ledger.done([Finished(dead)], LEASE).lost == (KEY,)
    assert list(ledger.running()) == [KEY]
    done = store.commit(
        [write], actor="rs", trace=alive.trace, now=0.0, fence=Fence(alive.field, alive.token)
    )
    assert isinstance(done[0], Committed)


def test_a_message_that_nobody_took_is_sent_again(ledger: WorkLedger) -> None:
    ledger.enqueue([WORK], 0.0)
    assert ledger.sweep(LOST_AFTER - 0.1) == ([], LOST_AFTER)
    assert ledger.sweep(LOST_AFTER)[0] == [KEY]
    assert ledger.sweep(LOST_AFTER + 0.1)[0] == []


def test_failures_in_a_row_back_off_twice_as_long_each_time_up_to_a_bound(ledger: WorkLedger) -> None:
    now = 0.0
    waits = []
    ledger.enqueue([WORK], now)
    for _ in range(16):
        held = take(ledger, now)
        settled = ledger.done([Finished(held[0], Outcome.FAILED)], now)
        assert settled.next_due is not None
        waits.append(settled.next_due - now)
        now = settled.next_due + 0.001
        assert ledger.sweep(now)[0] == [KEY]
    for count, wait in enumerate(waits):
        full = min(BACKOFF_CAP, BACKOFF_BASE * 2**count)
        assert full * 0.75 - 0.001 <= wait <= full + 0.001
    assert ledger.failures() == {KEY: 16}


def test_a_success_forgets_the_failures(ledger: WorkLedger) -> None:
    ledger.enqueue([WORK], 0.0)
    ledger.done([Finished(take(ledger, 0.0)[0], Outcome.FAILED)], 0.0)
    ledger.enqueue([WORK], 0.0)
    ledger.done([Finished(take(ledger, 0.0)[0])], 0.0)
    assert ledger.failures() == {}
    assert ledger.counters() == {("rs", "failed"): 1, ("rs", "processed"): 1}


def test_of_two_times_for_a_key_the_earlier_holds(ledger: WorkLedger) -> None:
    ledger.schedule([Delayed(WORK, 50.0), Delayed(WORK, 20.0), Delayed(WORK, 30.0)], 0.0)
    assert ledger.sweep(19.9) == ([], 20.0)
    assert ledger.sweep(20.0) == ([KEY], 20.0 + LOST_AFTER)


def test_a_run_replaces_what_was_due_by_what_its_plan_asks_for(ledger: WorkLedger) -> None:
    ledger.schedule([Delayed(WORK, 50.0)], 0.0)
    ledger.enqueue([WORK], 0.0)
    settled = ledger.done([Finished(take(ledger, 0.0)[0], again_after=90.0)], 1.0)
    assert settled.next_due == 91.0
    assert ledger.due() == {KEY: 91.0}


def test_a_key_that_rests_runs_once_afterwards_however_much_work_came(ledger: WorkLedger) -> None:
    ledger.enqueue([WORK], 0.0)
    held = take(ledger, 0.0)
    ledger.enqueue([Work(*KEY, Trace("during", 8))], 0.5)
    settled = ledger.done([Finished(held[0], rest=3.0)], 1.0)
    assert (settled.publish, settled.next_due) == ((), 4.0)
    assert ledger.enqueue([Work(*KEY, Trace("after", 9))], 2.0) == []
    assert ledger.sweep(3.9) == ([], 4.0)
    assert ledger.sweep(4.0)[0] == [KEY]
    assert [t.key for t in take(ledger, 4.0)] == ["default/web"]
    assert ledger.due() == {}


def test_a_key_that_has_rested_or_that_others_wait_for_is_queued_at_once(ledger: WorkLedger) -> None:
    ledger.enqueue([WORK], 0.0)
    ledger.done([Finished(take(ledger, 0.0)[0], rest=3.0)], 0.0)
    other = Work("rs", "other")
    assert ledger.enqueue([other], 1.0) == [("rs", "other")]
    assert ledger.enqueue([WORK], 3.0) == [KEY]


def test_a_rest_puts_off_what_falls_due_in_it(ledger: WorkLedger) -> None:
    ledger.enqueue([WORK], 0.0)
    ledger.done([Finished(take(ledger, 0.0)[0], again_after=1.0, rest=3.0)], 0.0)
    assert ledger.sweep(1.0) == ([], 3.0)
    assert ledger.sweep(3.0)[0] == [KEY]


def test_work_given_back_unrun_is_queued_at_once_and_counts_no_failure(ledger: WorkLedger) -> None:
    ledger.enqueue([WORK], 0.0)
    settled = ledger.done([Finished(take(ledger, 0.0)[0], Outcome.RELEASED)], 0.0)
    assert settled.publish == (KEY,)
    assert take(ledger, 0.0)[0].trace == WORK.trace
    assert ledger.failures() == {}


def test_a_key_may_have_a_bar_in_it(ledger: WorkLedger) -> None:
    assert ledger.enqueue([Work("rs", "a|b")], 0.0) == [("rs", "a|b")]
    assert [t.key for t in ledger.take("rs", ["a|b"], "w1", 0.0)] == ["a|b"]


def test_thousands_of_keys_are_queued_in_pieces(ledger: WorkLedger) -> None:
    work = [Work("rs", f"default/p{n}") for n in range(1203)]
    assert len(ledger.enqueue(work, 0.0)) == 1203
    assert ledger.depth() == {"rs": 1203}


def test_one_dispatcher_wins_a_resync(ledger: WorkLedger) -> None:
    assert ledger.claim_resync(600.0)
    assert not ledger.claim_resync(600.0)


class LedgerMachine(RuleBasedStateMachine):
    """Workers, a broker that loses and doubles, and time. `sequence` counts everything that happens.

    Safety: no two workers whose leases run hold one key. Liveness: once faults stop, each key has run
    to its end in a run that began after it was last asked for.
    """

    store: Store
    names = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        fresh = Store(self.store.redis, f"{self.store.keys.cluster}-{next(self.names)}")
        self.ledger = WorkLedger(fresh, RandomIds(3), lease=LEASE, lost_after=LOST_AFTER)
        self.now = 1000.0
        self.sequence = 0
        self.messages: list[tuple[str, str]] = []
        self.holding: list[tuple[Taken, float, int]] = []  # what, until when, since which event
        self.asked: dict[tuple[str, str], int] = {}
        self.ran: dict[tuple[str, str], int] = {}

    def tick(self) -> int:
        self.sequence += 1
        return self.sequence

    keys = st.sampled_from([("a", "x"), ("a", "y"), ("b", "x")])

    @rule(keys=st.lists(keys, min_size=1, max_size=4))
    def enqueue(self, keys: list[tuple[str, str]]) -> None:
        at = self.tick()
        published = self.ledger.enqueue([Work(*key, Trace("t", at)) for key in keys], self.now)
        assert len(published) == len(set(published))
        self.messages += published
        self.asked.update(dict.fromkeys(keys, at))

    @rule(key=keys, after=st.floats(0, 100))
    def schedule(self, key: tuple[str, str], after: float) -> None:
        self.asked[key] = self.tick()
        self.ledger.schedule([Delayed(Work(*key), self.now + after)], self.now)

    @precondition(lambda self: self.messages)
    @rule(place=st.integers(0, 100), worker=st.sampled_from(["w1", "w2", "w3"]))
    def deliver(self, place: int, worker: str) -> None:
        role, key = self.messages.pop(place % len(self.messages))
        self.begin(role, key, worker)

    def begin(self, role: str, key: str, worker: str) -> None:
        at = self.tick()
        for taken in self.ledger.take(role, [key], worker, self.now):
            others = [t for t, until, _ in self.holding if t.field == taken.field and until > self.now]
            assert not others, "two workers hold one key"
            self.holding.append((taken, self.now + LEASE, at))

    @precondition(lambda self: self.messages)
    @rule(place=st.integers(0, 100), lost=st.booleans())
    def lose_or_double_a_message(self, place: int, lost: bool) -> None:
        message = self.messages[place % len(self.messages)]
        if lost:
            self.messages.remove(message)
        else:
            self.messages.append(message)

    @precondition(lambda self: self.holding)
    @rule(
        place=st.integers(0, 100),
        outcome=st.sampled_from(list(Outcome)),
        again=st.none() | st.floats(0, 50),
        rest=st.just(0.0) | st.floats(0, 20),
    )
    def finish(self, place: int, outcome: Outcome, again: float | None, rest: float) -> None:
        self.end(self.holding.pop(place % len(self.holding)), outcome, again, rest)

    def end(
        self, run: tuple[Taken, float, int], outcome: Outcome, again: float | None, rest: float = 0.0
    ) -> None:
        taken, _, since = run
        settled = self.ledger.done([Finished(taken, outcome, again, rest)], self.now)
        self.messages += settled.publish
        if not settled.lost and outcome is Outcome.PROCESSED:
            self.ran[taken.role, taken.key] = since

    @precondition(lambda self: self.holding)
    @rule(place=st.integers(0, 100))
    def a_worker_dies(self, place: int) -> None:
        self.holding.pop(place % len(self.holding))

    @rule(seconds=st.floats(0.001, 70))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(published_is_lost=st.booleans())
    def sweep(self, published_is_lost: bool) -> None:
        self.tick()
        published, _ = self.ledger.sweep(self.now)
        if not published_is_lost:
            self.messages += published

    @invariant()
    def depth_counts_what_is_queued(self) -> None:
        queued = self.ledger._store.redis.zcard(self.ledger._store.key("work:queued"))
        assert sum(self.ledger.depth().values()) == queued

    def teardown(self) -> None:
        for _ in range(60):
            while self.messages:
                self.begin(*self.messages.pop(), "w1")
            while self.holding:
                self.end(self.holding.pop(), Outcome.PROCESSED, None)
            self.now += LOST_AFTER
            published, next_time = self.ledger.sweep(self.now)
            self.messages += published
            if not published and next_time is None:
                break
        else:
            raise AssertionError("the ledger never comes to rest")
        for key, asked in self.asked.items():
            assert self.ran.get(key, -1) > asked, f"{key} never ran after it was last asked for"


def test_single_flight_holds_and_nothing_is_lost(store: Store) -> None:
    LedgerMachine.store = store
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )  # fmt: skip
