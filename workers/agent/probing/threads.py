"""Threads for work that waits: as many as there is work under way, and no more."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

# A thread that has had nothing to do for so long ends. Seconds.
IDLE = 10.0


class Threads:
    """Work never waits for other work: where every thread is busy, one more is started."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._idle = 0
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def run(self, work: Callable[[], None]) -> None:
        """Do it at once, on one of the threads."""
        with self._lock:
            waiting = self._idle > 0
            if waiting:
                # That thread is this work's own now; who comes next must find another.
                self._idle -= 1
        if waiting:
            self._work.put(work)
        else:
            threading.Thread(target=self._serve, args=(work,), name=self._name, daemon=True).start()

    def _serve(self, work: Callable[[], None]) -> None:
        while True:
            try:
                work()
            except Exception:
                log.exception("work of the agent failed")
            with self._lock:
                self._idle += 1
            try:
                work = self._work.get(timeout=IDLE)
            except queue.Empty:
                with self._lock:
                    if self._idle > 0:
                        self._idle -= 1
                        return
                # Somebody counts on this thread.
                work = self._work.get()
