"""The thread that keeps the time of a node's probes and carries their conversations.

One thread for all: a try costs no hand-over from one thread to another, and a server that says nothing holds up
nobody (docs/decisions/0032-probe-loop.md). It starts with the first job and ends when there is nothing left to do.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import select
import socket
import threading
from collections.abc import Hashable
from dataclasses import dataclass

from app.base.clock import Clock
from workers.agent.jobs import Run
from workers.agent.probing.attempt import Done, Outcome
from workers.agent.probing.talk import Talk
from workers.agent.probing.threads import Threads

log = logging.getLogger(__name__)

# Without work for so long, the thread ends. Seconds.
IDLE = 5.0


@dataclass(slots=True, eq=False)
class _Talking:
    talk: Talk[Outcome]
    done: Done
    sock: socket.socket | None = None
    fd: int = -1
    event: int = 0


class Loop:
    """`jobs.Jobs` whose jobs all run on one thread, so none may block; and the talks that they begin."""

    def __init__(self, clock: Clock, threads: Threads) -> None:
        self._clock, self._threads = clock, threads
        self._lock = threading.Lock()
        self._heap: list[tuple[float, int, Hashable, Run]] = []
        self._due: dict[Hashable, tuple[float, int]] = {}
        self._number = itertools.count()
        self._thread: threading.Thread | None = None
        self._talking: dict[int, _Talking] = {}
        self._closed = False
        self._wake = -1
        self._rested = False

    # --- Jobs

    def after(self, key: Hashable, delay: float, run: Run, lane: str = "") -> None:
        due = self._clock.monotonic() + max(0.0, delay)
        with self._lock:
            known = self._due.get(key)
            if not self._closed and (known is None or due < known[0]):
                self._enter(key, due, run)

    def cancel(self, key: Hashable) -> None:
        with self._lock:
            self._due.pop(key, None)

    def beside(self, run: Run) -> None:
        self._threads.run(run)

    # --- talks

    def begin(self, talk: Talk[Outcome], timeout: float, done: Done) -> None:
        """Carry a talk of at most `timeout` seconds, and tell `done` its result. From any thread."""
        if threading.current_thread() is self._thread:
            self._begin(talk, timeout, done)
        else:
            began = self._clock.monotonic()
            left = lambda: timeout - (self._clock.monotonic() - began)  # noqa: E731
            self.after(object(), 0.0, lambda: self._begin(talk, left(), done))

    def close(self) -> None:
        """Do nothing more."""
        with self._lock:
            self._closed = True
            self._due.clear()
            self._rouse()

    # --- within

    def _enter(self, key: Hashable, due: float, run: Run) -> None:
        """With the lock held."""
        number = next(self._number)
        self._due[key] = due, number
        first = not self._heap or due < self._heap[0][0]
        heapq.heappush(self._heap, (due, number, key, run))
        if self._thread is None:
            self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._thread = threading.Thread(target=self._run, name="agent-probes", daemon=True)
            self._thread.start()
        elif first and threading.current_thread() is not self._thread:
            self._rouse()

    def _rouse(self) -> None:
        if self._thread is not None:
            os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        with select.epoll() as epoll:
            self._epoll = epoll
            epoll.register(self._wake, select.EPOLLIN)
            while True:
                timeout = self._next()
                if timeout is None:
                    break
                for fd, _ in epoll.poll(timeout):
                    if fd == self._wake:
                        os.eventfd_read(fd)
                    elif (talking := self._talking.get(fd)) is not None:
                        self._step(talking)
                self._run_due()
            # What was under way when it was closed: nobody waits for it. (One that rested leaves nothing, and what is
            # there by now is the next thread's.)
            for talking in list(self._talking.values()) if self._closed else ():
                talking.talk.close()

    def _next(self) -> float | None:
        """How long to wait; None if this thread is to end."""
        with self._lock:
            while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][:2]:
                heapq.heappop(self._heap)
            idle = not self._heap and not self._talking
            if self._closed or (idle and self._rested):
                os.close(self._wake)
                self._thread = None
                return None
            self._rested = idle
            if idle:
                return IDLE
            return max(0.0, self._heap[0][0] - self._clock.monotonic()) if self._heap else IDLE

    def _run_due(self) -> None:
        while True:
            with self._lock:
                if not self._heap or self._heap[0][0] > self._clock.monotonic():
                    return
                due, number, key, run = heapq.heappop(self._heap)
                if self._due.get(key) != (due, number):
                    continue
                del self._due[key]
            try:
                run()
            except Exception:
                log.exception("a job of the agent failed")

    def _begin(self, talk: Talk[Outcome], timeout: float, done: Done) -> None:
        talking = _Talking(talk, done)
        self.after(talking, timeout, lambda: self._step(talking, late=True))
        self._step(talking)

    def _step(self, talking: _Talking, late: bool = False) -> None:
        """Go on with a talk until it waits again or ends."""
        try:
            sock, event = talking.talk.throw(TimeoutError()) if late else next(talking.talk)
            self._await(talking, sock, event)
            return
        except StopIteration as end:
            outcome: Outcome = end.value
        except Exception as exc:
            log.exception("a probe failed by surprise")
            talking.talk.close()
            outcome = Outcome(False, str(exc), unknown=True)
        self._forget(talking)
        self.cancel(talking)
        try:
            talking.done(outcome)
        except Exception:
            log.exception("a job of the agent failed")

    def _await(self, talking: _Talking, sock: socket.socket, event: int) -> None:
        if sock is not talking.sock:
            # The number of a socket that the talk has closed may be the new one's as well.
            self._forget(talking)
            talking.sock, talking.fd = sock, sock.fileno()
            self._talking[talking.fd] = talking
            try:
                self._epoll.register(talking.fd, event)
            except FileExistsError:
                self._epoll.modify(talking.fd, event)
        elif event != talking.event:
            self._epoll.modify(talking.fd, event)
        talking.event = event

    def _forget(self, talking: _Talking) -> None:
        # A closed socket leaves epoll by itself.
        if self._talking.get(talking.fd) is talking:
            del self._talking[talking.fd]
        talking.sock, talking.fd = None, -1
