"""The sweeper: in time, and rarely."""

from __future__ import annotations

import threading

from app.base.clock import SystemClock
from app.bus.sweeper import LONGEST_WAIT, Sweeper
from app.bus.work import Delayed, Work

WORK = Work("maps", "default/x")


def test_what_falls_due_is_published(ledger, outbox, clock):
    sweeper = Sweeper(ledger, outbox, clock)
    ledger.schedule([Delayed(WORK, clock.now() + 0.25)], clock.now())
    assert abs(sweeper.step() - 0.25) < 0.01
    assert outbox.work == []
    clock.sleep(0.25)
    sweeper.step()
    assert outbox.work == [("maps", "default/x")]


def test_with_nothing_to_come_it_rests_as_long_as_it_may(ledger, outbox, clock):
    assert Sweeper(ledger, outbox, clock).step() == LONGEST_WAIT
    ledger.schedule([Delayed(WORK, clock.now() + 3600)], clock.now())
    assert Sweeper(ledger, outbox, clock).step() == LONGEST_WAIT


def test_something_expected_earlier_ends_the_wait(ledger, outbox):
    clock = SystemClock()
    sweeper = Sweeper(ledger, outbox, clock)
    waiting = threading.Thread(target=sweeper.wait, args=(3600,))
    waiting.start()
    sweeper.expect(clock.now() + 0.01)
    waiting.join(5)
    assert not waiting.is_alive()


def test_what_was_expected_during_a_sweep_is_not_forgotten(ledger, outbox, monkeypatch):
    clock = SystemClock()
    sweeper = Sweeper(ledger, outbox, clock)
    monkeypatch.setattr(ledger, "sweep", lambda now: (sweeper.expect(clock.now()), ([], None))[1])
    sweeper.step()
    waiting = threading.Thread(target=sweeper.wait, args=(3600,))
    waiting.start()
    waiting.join(5)
    assert not waiting.is_alive()
