"""Watches that fuzzed requests opened: read beside everything else, to their end."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tests.fuzz.world import Answered, Sent

TYPES = ("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR")
# Watches that are open at the same time; a further one is hung up at once.
MANY = 30


class Watches:
    """Reads watches in threads of its own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(MANY, thread_name_prefix="fuzz-watch")
        self._room = threading.Semaphore(MANY)
        self._read: list[tuple[Sent, Future[None]]] = []

    def follow(self, sent: Sent, answered: Answered) -> None:
        """Read it to its end, beside."""
        if not self._room.acquire(blocking=False):
            next(iter(answered.stream))
            answered.stream.close()
            return
        self._read.append((sent, self._pool.submit(self._follow, answered.stream)))

    def finish(self) -> int:
        """Wait until all have ended; how many there were. Raises AssertionError if one was not as it should be."""
        for sent, reading in self._read:
            problem = reading.exception(30)
            assert problem is None, f"{problem!r} after {sent!r}"
        self._pool.shutdown()
        return len(self._read)

    def _follow(self, stream: Any) -> None:
        try:
            data = b"".join(bytes(piece) for piece in stream)
        finally:
            stream.close()
            self._room.release()
        assert data == b"" or data.endswith(b"\n"), data[-100:]
        for line in data.splitlines():
            event = json.loads(line)
            assert event["type"] in TYPES, event
            if event["type"] == "ERROR":
                assert event["object"]["kind"] == "Status", event
            else:
                assert event["object"]["kind"], event
