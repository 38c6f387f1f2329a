"""Threads that run what they are handed.

They are not joined when the process ends, as those of a `ThreadPoolExecutor` are: one that waits for a container which has
an hour to end, or for an engine that hangs, would keep its agent from ending for so long.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

log = logging.getLogger(__name__)

Run = Callable[[], None]


class Lane:
    """At most `threads` of them, each started when it is needed. What is handed over runs in that order."""

    def __init__(self, name: str, threads: int) -> None:
        self._name, self._most = name, threads
        self._queue: SimpleQueue[Run | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        # Threads for which nothing was handed over, and what was handed over and has no thread yet.
        self._idle = self._waiting = 0
        self._closed = False

    def submit(self, run: Run) -> None:
        """Run it as soon as a thread is free. Nothing once the lane is closed.

        A machine that has no more threads to give is asked again with the next run.
        """
        with self._lock:
            if self._closed:
                return
            self._queue.put(run)
            if self._idle > 0:
                self._idle -= 1
                return
            self._waiting += 1
            while self._waiting and len(self._threads) < self._most and self._add():
                self._waiting -= 1

    def close(self) -> None:
        """Start nothing more. What runs goes on, and each thread ends with it."""
        with self._lock:
            self._closed = True
            with contextlib.suppress(Empty):
                while True:
                    self._queue.get_nowait()
            for _ in self._threads:
                self._queue.put(None)

    @property
    def threads(self) -> list[threading.Thread]:
        """Those that were started; of a closed lane, each ends with what it runs."""
        with self._lock:
            return list(self._threads)

    def _add(self) -> bool:
        """With the lock held: start one more. False if the machine refuses it."""
        name = f"agent-{self._name}-{len(self._threads)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as exc:
            log.error("%s: %s", name, exc)
            return False
        self._threads.append(thread)
        return True

    def _work(self) -> None:
        while (run := self._queue.get()) is not None:
            guarded(run)
            with self._lock:
                if self._waiting:
                    self._waiting -= 1
                else:
                    self._idle += 1


def guarded(run: Run) -> None:
    """What fails by surprise must not end the thread it runs on; whoever asked for it will ask again."""
    try:
        run()
    except Exception:
        log.exception("a job of the agent failed")
