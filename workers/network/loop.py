"""An epoll loop in one thread: the least that a proxy needs, and cheap per connection.

asyncio costs several times more for a connection that lives for one request, and it closes sockets
in ways that a proxy which may not drop a connection has to know exactly.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from app.base.clock import Clock, SystemClock

log = logging.getLogger(__name__)

T = TypeVar("T")
Handler = Callable[[int], None]


class Loop:
    """Calls handlers when their sockets are ready, and functions when their time has come. All but
    `call` and `stop` may be used in the loop's own thread only."""

    def __init__(self, name: str, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._retired: list[socket.socket] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._posted: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._running = True
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def add(self, sock: socket.socket, events: int, handler: Handler) -> None:
        fd = sock.fileno()
        self._handlers[fd] = handler
        self._epoll.register(fd, events)

    def modify(self, sock: socket.socket, events: int) -> None:
        self._epoll.modify(sock.fileno(), events)

    def remove(self, sock: socket.socket) -> None:
        """Hear no more of `sock`; it stays open."""
        if self._handlers.pop(sock.fileno(), None) is not None:
            self._epoll.unregister(sock.fileno())

    def retire(self, sock: socket.socket) -> None:
        """Close `sock`, but only after this round of events: a number that is used again at once would
        be handed the events of its former owner."""
        self.remove(sock)
        self._retired.append(sock)

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.monotonic() + seconds, next(self._order), function))

    def call(self, function: Callable[[], T]) -> T:
        """Run `function` in the loop's thread and hand back what it returns or raises."""
        if threading.current_thread() is self._thread:
            return function()
        if not self._running:
            raise RuntimeError("the loop has ended")
        done: Future[Any] = Future()

        def run() -> None:
            try:
                done.set_result(function())
            except BaseException as exc:
                done.set_exception(exc)

        self._posted.append(run)
        os.eventfd_write(self._wake, 1)
        return done.result()

    def stop(self) -> None:
        """End the thread. Sockets are their owners' to close before."""
        if self._running:
            self.call(self._end)
            self._thread.join(timeout=5)

    def _end(self) -> None:
        self._running = False

    def _run(self) -> None:
        handlers = self._handlers
        while self._running:
            timeout = -1.0
            if self._due:
                timeout = max(0.0, self._due[0][0] - self.monotonic())
            for fd, events in self._epoll.poll(timeout, 512):
                if fd == self._wake:
                    os.eventfd_read(self._wake)
                    continue
                handler = handlers.get(fd)
                if handler is not None:
                    self._guarded(handler, events)
            while self._posted:
                self._posted.popleft()()
            while self._due and self._due[0][0] <= self.monotonic():
                self._guarded(_ignoring_events(heapq.heappop(self._due)[2]), 0)
            for sock in self._retired:
                sock.close()
            self._retired.clear()
        self._epoll.close()
        os.close(self._wake)

    @staticmethod
    def _guarded(handler: Handler, events: int) -> None:
        """One broken connection must not end the loop for all."""
        try:
            handler(events)
        except Exception:
            log.exception("a connection's handler failed")


def _ignoring_events(function: Callable[[], None]) -> Handler:
    return lambda events: function()
