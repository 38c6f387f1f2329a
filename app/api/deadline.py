"""How long a request may take: `?timeout=`, and the server's own bound.

https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--request-timeout)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import gevent

from app.base.errors import BadRequest, Timeout

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")


def seconds_of(given: str, longest: float) -> float:
    """The time that a request has: what it asks for, but no longer than the server allows.

    Raises:
        BadRequest: it asks for what is no duration.
    """
    if not given:
        return longest
    asked = _duration(given)
    if asked is None or asked < 0:
        raise BadRequest(
            f'invalid timeout specified in the request URL - time: invalid duration "{given[:64]}"'
        )
    return min(asked, longest) if asked > 0 else longest


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let what is done take so long, where greenlets serve requests; elsewhere (in tests) as long as it likes.

    What waits then is interrupted, with its connection. A write may have happened.

    Raises:
        Timeout: it took longer.
    """
    if not seconds or not _greenlets():
        yield
        return
    timer = gevent.Timeout.start_new(seconds)
    try:
        yield
    except gevent.Timeout as exc:
        if exc is not timer:
            raise
        raise Timeout(
            "the server was unable to return a response in the time allotted, but may still be processing the request"
        ) from None
    finally:
        timer.close()


def _greenlets() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("socket"))


def _duration(text: str) -> float | None:
    """A duration as Go writes it, `1m30s`."""
    if text.isascii() and text.isdigit():
        return float(text) if text == "0" else None
    total, at = 0.0, 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return None
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    return total if text else None
