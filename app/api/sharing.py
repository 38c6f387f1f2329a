"""How one request is let in: with a seat and a time for those that end, counted for those that stay open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from app.api import deadline
from app.api.answers import Answer
from app.api.authn import User
from app.api.fairness import Fairness
from app.api.query import Query

# Connections rather than requests: they last as long as somebody uses them.
LASTING = frozenset({"log", "exec", "attach", "portforward", "proxy"})


# How long a seat is waited for where requests may take any time. Seconds.
PATIENCE = 60.0


class Sharing:
    """Args: longest: seconds that a request may take (0: any time)."""

    def __init__(self, fairness: Fairness, longest: float) -> None:
        self._fairness = fairness
        self._longest = longest

    def run(
        self, user: User, verb: str, subresource: str, query: Query, work: Callable[[], Answer]
    ) -> Answer:
        """The answer of `work`.

        Raises:
            TooManyRequests: the user sends too much. Timeout: it takes too long. BadRequest: `timeout` is no
                duration.
        """
        if verb == "watch":
            return self._watch(user, work)
        if subresource in LASTING:
            return work()
        seconds = self._longest
        if query.given("timeout"):
            seconds = deadline.seconds_of(query.text("timeout"), seconds)
        with self._fairness.seat(user, seconds or PATIENCE), deadline.within(seconds):
            return work()

    def _watch(self, user: User, work: Callable[[], Answer]) -> Answer:
        self._fairness.open_watch(user)
        try:
            answer = work()
        except BaseException:
            self._fairness.close_watch(user)
            raise
        if isinstance(answer.body, bytes):
            self._fairness.close_watch(user)
        else:
            answer.body = _Counted(answer.body, lambda: self._fairness.close_watch(user))
        return answer


class _Counted:
    """A body that says when it is over."""

    def __init__(self, body: Iterable[bytes], over: Callable[[], None]) -> None:
        self._body = body
        self._over: Callable[[], None] | None = over

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        over, self._over = self._over, None
        try:
            close: Any = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            if over is not None:
                over()
