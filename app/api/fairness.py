"""Fairness: what one user may take of an API process, so that a flood of theirs slows nobody else.

Each process has so many seats; a request takes one while it is worked on. When all are taken, requests wait, and the
next seat goes to the user who holds the fewest: a newcomer waits for one request to end, whatever others have
queued. A user's rate of requests, waiting requests and open watches are bounded besides. Who exceeds a bound is told
so with 429 and when to come back (as API Priority and Fairness does:
https://kubernetes.io/docs/concepts/cluster-administration/flow-control/).

Administrators and agents are not bounded: without them nothing gets better. All bounds are per process.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock

from app.api.authn import User
from app.base.clock import Clock
from app.base.errors import Timeout, TooManyRequests
from app.base.settings import Settings

EXEMPT = frozenset({"system:masters", "system:nodes"})
# Users whose rate is remembered; who has not come for a while is forgotten first.
REMEMBERED = 10_000
TOO_MANY = "Too many requests, please try again later."


class Fairness:
    """What users hold, wait for and may still do. For any number of threads or greenlets."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._seats = settings.user_seats
        self._queue = settings.user_queue
        self._watches = settings.user_watches
        self._rate, self._burst = settings.user_rate, float(settings.user_burst)
        self._clock = clock
        self._lock = Lock()
        self._taken = 0
        self._held: dict[str, int] = {}
        self._waiting: dict[str, deque[Event]] = {}
        self._watching: dict[str, int] = {}
        self._tokens: OrderedDict[str, tuple[float, float]] = OrderedDict()

    @contextmanager
    def seat(self, user: User, patience: float) -> Iterator[None]:
        """A seat for one request; waits `patience` seconds at most.

        Raises:
            TooManyRequests: the user sends too much. Timeout: no seat became free.
        """
        if not self._seats or not EXEMPT.isdisjoint(user.groups):
            yield
            return
        self._spend(user.name)
        self._take(user.name, patience)
        try:
            yield
        finally:
            self._give_back(user.name)

    def open_watch(self, user: User) -> None:
        """Count a watch until `close_watch`. Raises TooManyRequests."""
        if not self._watches or not EXEMPT.isdisjoint(user.groups):
            return
        with self._lock:
            held = self._watching.get(user.name, 0)
            if held >= self._watches:
                raise TooManyRequests(TOO_MANY, retry_after=1)
            self._watching[user.name] = held + 1

    def close_watch(self, user: User) -> None:
        with self._lock:
            _less(self._watching, user.name)

    def _spend(self, name: str) -> None:
        """One of the user's tokens, of which `rate` a second come up to `burst`. Raises TooManyRequests."""
        if not self._rate:
            return
        now = self._clock.monotonic()
        with self._lock:
            tokens, at = self._tokens.pop(name, (self._burst, now))
            tokens = min(self._burst, tokens + (now - at) * self._rate)
            enough = tokens >= 1
            self._tokens[name] = (tokens - 1 if enough else tokens, now)
            if len(self._tokens) > REMEMBERED:
                self._tokens.popitem(last=False)
        if not enough:
            raise TooManyRequests(TOO_MANY, retry_after=max(1, math.ceil((1 - tokens) / self._rate)))

    def _take(self, name: str, patience: float) -> None:
        with self._lock:
            if self._taken < self._seats and not self._waiting:
                self._taken += 1
                self._held[name] = self._held.get(name, 0) + 1
                return
            line = self._waiting.setdefault(name, deque())
            if len(line) >= self._queue:
                raise TooManyRequests(TOO_MANY, retry_after=1)
            turn = Event()
            line.append(turn)
        try:
            given = turn.wait(patience)
        except BaseException:
            self._leave(name, turn, hand_on=True)
            raise
        if not given and not self._leave(name, turn, hand_on=False):
            raise Timeout(
                "the server was unable to return a response in the time allotted: too many requests wait"
            )

    def _leave(self, name: str, turn: Event, *, hand_on: bool) -> bool:
        """Wait no longer. Whether the seat was given just now; with `hand_on`, it goes to the next."""
        with self._lock:
            if not turn.is_set():
                line = self._waiting[name]
                line.remove(turn)
                if not line:
                    del self._waiting[name]
                return False
        if hand_on:
            self._give_back(name)
        return True

    def _give_back(self, name: str) -> None:
        with self._lock:
            self._taken -= 1
            _less(self._held, name)
            if not self._waiting:
                return
            # Who holds the fewest; of several, who waits longest.
            chosen = min(self._waiting, key=lambda each: self._held.get(each, 0))
            line = self._waiting.pop(chosen)
            turn = line.popleft()
            if line:
                self._waiting[chosen] = line
            self._taken += 1
            self._held[chosen] = self._held.get(chosen, 0) + 1
            turn.set()


def _less(counts: dict[str, int], name: str) -> None:
    left = counts.get(name, 0) - 1
    if left > 0:
        counts[name] = left
    else:
        counts.pop(name, None)
