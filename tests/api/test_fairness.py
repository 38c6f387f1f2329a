"""Fairness: seats, rates and watches of one user, and what others notice of a flood."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.api.authn import User
from app.api.deadline import seconds_of
from app.api.fairness import Fairness
from app.base.errors import BadRequest, Timeout, TooManyRequests
from app.base.settings import Settings
from tests.clock import HandClock

JOE = User("joe", "2", ("devs",))
ANN = User("ann", "3", ("devs",))
ADMIN = User("admin", "1", ("system:masters",))
NODE = User("system:node:n1", "4", ("system:nodes",))


class Crowd:
    """Requests that begin when they get a seat and end when they are told to."""

    def __init__(self, fairness: Fairness) -> None:
        self.fairness = fairness
        self.order: list[str] = []
        self.refused: list[Exception] = []
        self._begun = threading.Semaphore(0)
        self._ends: list[threading.Event] = []
        self._threads: list[threading.Thread] = []

    def come(self, user: User) -> threading.Event:
        """One more request; returns what ends it."""
        end = threading.Event()

        def run() -> None:
            try:
                with self.fairness.seat(user, 20):
                    self.order.append(user.name)
                    self._begun.release()
                    end.wait(20)
            except (TooManyRequests, Timeout) as exc:
                self.refused.append(exc)
                self._begun.release()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._threads.append(thread)
        self._ends.append(end)
        return end

    def wait_for(self, requests: int) -> None:
        for _ in range(requests):
            assert self._begun.acquire(timeout=20)

    def waiting(self, user: User, requests: int) -> None:
        """Until so many of the user's requests wait for a seat."""
        for _ in range(2000):
            if len(self.fairness._waiting.get(user.name, ())) >= requests:
                return
            threading.Event().wait(0.005)
        raise AssertionError("they never came to wait")

    def leave(self) -> None:
        for end in self._ends:
            end.set()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def crowd() -> Iterator[Any]:
    crowds: list[Crowd] = []

    def make(**settings: Any) -> Crowd:
        crowds.append(Crowd(Fairness(Settings(user_rate=0, **settings), HandClock())))
        return crowds[-1]

    yield make
    for each in crowds:
        each.leave()


def test_a_newcomer_gets_the_next_seat_whatever_another_has_queued(crowd: Any) -> None:
    room = crowd(user_seats=2)
    first, _ = room.come(JOE), room.come(JOE)
    room.wait_for(2)
    for _ in range(10):
        room.come(JOE)
    room.waiting(JOE, 10)
    room.come(ANN)
    room.waiting(ANN, 1)
    first.set()
    room.wait_for(1)
    assert room.order == ["joe", "joe", "ann"]


def test_all_seats_are_used_while_only_one_user_wants_them(crowd: Any) -> None:
    room = crowd(user_seats=5)
    for _ in range(5):
        room.come(JOE)
    room.wait_for(5)
    assert room.order == ["joe"] * 5


def test_who_queues_too_much_is_told_to_come_again(crowd: Any) -> None:
    room = crowd(user_seats=1, user_queue=2)
    room.come(JOE)
    room.wait_for(1)
    room.come(JOE)
    room.come(JOE)
    room.waiting(JOE, 2)
    room.come(JOE)
    room.wait_for(1)
    (refused,) = room.refused
    assert isinstance(refused, TooManyRequests)
    assert refused.retry_after == 1


def test_administrators_and_agents_never_wait(crowd: Any) -> None:
    room = crowd(user_seats=1, user_queue=0)
    room.come(JOE)
    room.wait_for(1)
    room.come(ADMIN)
    room.come(NODE)
    room.wait_for(2)
    assert sorted(room.order[1:]) == ["admin", "system:node:n1"]


def test_a_seat_that_does_not_come_in_time_is_a_timeout() -> None:
    fairness = Fairness(Settings(user_seats=1, user_rate=0), HandClock())
    with fairness.seat(JOE, 1):
        with pytest.raises(Timeout), fairness.seat(ANN, 0.01):
            pass
        with pytest.raises(Timeout), fairness.seat(ANN, 0.01):
            pass
    with fairness.seat(ANN, 0.01):
        pass


def test_a_rate_is_kept_and_says_when_to_come_again() -> None:
    clock = HandClock()
    fairness = Fairness(Settings(user_rate=0.5, user_burst=3), clock)

    def ask(user: User) -> None:
        with fairness.seat(user, 1):
            pass

    for _ in range(3):
        ask(JOE)
    with pytest.raises(TooManyRequests) as refused:
        ask(JOE)
    assert refused.value.retry_after == 2
    ask(ANN)
    clock.move(2)
    ask(JOE)


def test_open_watches_are_counted_until_they_close() -> None:
    fairness = Fairness(Settings(user_watches=2), HandClock())
    fairness.open_watch(JOE)
    fairness.open_watch(JOE)
    with pytest.raises(TooManyRequests):
        fairness.open_watch(JOE)
    fairness.open_watch(ANN)
    fairness.close_watch(JOE)
    fairness.open_watch(JOE)


@pytest.mark.parametrize(
    ("given", "seconds"), [("", 60), ("5s", 5), ("1m30s", 60), ("250ms", 0.25), ("0", 60)]
)
def test_a_request_may_ask_for_less_time_than_there_is(given: str, seconds: float) -> None:
    assert seconds_of(given, 60) == seconds


@pytest.mark.parametrize("given", ["abc", "5", "5x", "-", "s"])
def test_a_time_must_be_a_duration(given: str) -> None:
    with pytest.raises(BadRequest) as refused:
        seconds_of(given, 60)
    assert refused.value.message == (
        f'invalid timeout specified in the request URL - time: invalid duration "{given}"'
    )
