"""Waiting on a condition, in real time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(
    condition: Callable[[], T], seconds: float, tell: Callable[[], str] = lambda: "", every: float = 0.1
) -> T:
    """The first true answer of `condition`, asked again and again for at most `seconds`.

    An AssertionError inside counts as "not yet", and is what fails the test in the end.
    """
    deadline = time.monotonic() + seconds
    last: AssertionError | None = None
    while True:
        try:
            answer = condition()
            last = None
        except AssertionError as exc:
            answer, last = None, exc
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {last or condition}\n{tell()}")
        time.sleep(every)
