"""Keeping the audit log: requests leave what happened in a buffer, and a thread writes it down.

The buffer is bounded, so that a disk that does not keep up costs entries and not the server; each lost one is counted
(`beanpole_audit_dropped_total`).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Protocol

import orjson

from app.api.audit.event import Happened, event
from app.base.clock import Clock

log = logging.getLogger("beanpole.audit")

# What waits to be written, at most: entries, and about how many bytes.
MAX_WAITING = 20_000
MAX_BYTES = 64 * 1024 * 1024
# How long entries are gathered before they are written together. Seconds.
GATHER = 0.05
# Entries written in one go.
BATCH = 500


class Sink(Protocol):
    """Where lines go."""

    def append(self, lines: str) -> None:
        """Raises OSError."""
        ...


class AuditLog:
    """Takes down what happened, at a level of `event.LEVELS`."""

    def __init__(self, level: str, sink: Sink, clock: Clock) -> None:
        self.level = level
        self.keeps_bodies = level in ("Request", "RequestResponse")
        self.keeps_answers = level == "RequestResponse"
        self.written = self.dropped = 0
        self._sink = sink
        self._clock = clock
        self._waiting: deque[Happened] = deque()
        self._bytes = 0
        self._wake = threading.Event()
        self._writing = threading.Lock()
        self._stopped = False

    def start(self) -> None:
        """Write from now on, in a thread of its own."""
        threading.Thread(target=self._run, name="audit", daemon=True).start()

    def record(self, happened: Happened) -> None:
        """Take this down. Does not wait for the disk."""
        if len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_BYTES:
            self.dropped += 1
            return
        self._waiting.append(happened)
        self._bytes += happened.size
        if self._stopped:
            self.flush()
        else:
            self._wake.set()

    def stop(self) -> None:
        """Write what waits; what comes from now on is written at once, since the server is going down."""
        self._stopped = True
        self.flush()
        self._wake.set()

    def flush(self) -> None:
        """Write what waits now."""
        with self._writing:
            while self._waiting:
                count = min(len(self._waiting), BATCH)
                self._write([self._waiting.popleft() for _ in range(count)])

    def _write(self, batch: list[Happened]) -> None:
        self._bytes -= sum(happened.size for happened in batch)
        lines = []
        for happened in batch:
            try:
                lines.append(orjson.dumps(event(happened, self.level)).decode())
            except (TypeError, ValueError):
                self.dropped += 1
                log.exception("a request can't be written to the audit log (Audit-Id %s)", happened.trace)
        if not lines:
            return
        try:
            self._sink.append("\n".join(lines))
            self.written += len(lines)
        except OSError as exc:
            self.dropped += len(lines)
            log.error("%d entries of the audit log are lost: %s", len(lines), exc)

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait()
            self._wake.clear()
            self._clock.sleep(GATHER)
            self.flush()
