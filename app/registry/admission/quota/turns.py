"""Turns: within one process, writes that are charged to one namespace go one after the other.

Each must see the one before. Without turns all but one of those that run at the same time would be rejected by the
commit and begin anew, again and again; between processes that is left to the commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Turns:
    """One lock for each namespace in which somebody is charged right now."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[Lock, int]] = {}
        self._guard = Lock()

    @contextmanager
    def of(self, namespace: str) -> Iterator[None]:
        """Wait for the namespace's turn, and keep it."""
        with self._guard:
            lock, waiting = self._locks.get(namespace) or (Lock(), 0)
            self._locks[namespace] = (lock, waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                _, waiting = self._locks.pop(namespace)
                if waiting > 1:
                    self._locks[namespace] = (lock, waiting - 1)
