"""A wire: bytes both ways between the side of a user and the side of an agent, within one API server."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from app.base.errors import BeanpoleError

# So many bytes may lie unread in one direction before the sender has to wait.
AHEAD = 1 << 20


class Cut(BeanpoleError):
    """The other side of a wire has gone away."""


class Wire(Protocol):
    """One end of a wire."""

    def receive(self, timeout: float) -> bytes | None:
        """What came, waiting up to `timeout` seconds; empty if nothing did, None once the other side is gone."""
        ...

    def send(self, data: bytes) -> None:
        """Hand over; waits while the other side is behind. Raises Cut."""
        ...

    def close(self) -> None:
        """Go away. What was sent before may still be received."""
        ...


class Pipe:
    """One direction: pieces of bytes, of which a bounded amount waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._deaf = False
        self._told: Callable[[], None] | None = None

    def when_dropped(self, call: Callable[[], None]) -> None:
        """Call once nobody takes anything any longer, unless it ended before; at once if that is so already."""
        with self._changed:
            self._told = call
            deaf = self._deaf
        if deaf:
            call()

    def put(self, data: bytes) -> None:
        """Raises Cut: nobody takes anything any longer."""
        if not data:
            return
        with self._changed:
            while self._size >= AHEAD and not self._deaf and not self._closed:
                self._changed.wait()
            if self._deaf or self._closed:
                raise Cut("nobody reads any longer")
            self._pieces.append(data)
            self._size += len(data)
            self._changed.notify_all()

    def take(self, timeout: float) -> bytes | None:
        """All that waits; empty if nothing comes in time, None at the end."""
        with self._changed:
            if not self._pieces and not self._closed and not self._deaf:
                self._changed.wait(timeout)
            if self._deaf:
                return None
            if not self._pieces:
                return None if self._closed else b""
            data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces.clear()
            self._size = 0
            self._changed.notify_all()
            return data

    def end(self) -> None:
        """Nothing more is put."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def drop(self) -> None:
        """Nothing more is taken."""
        with self._changed:
            told = None if self._deaf or self._closed else self._told
            self._deaf = True
            self._pieces.clear()
            self._changed.notify_all()
        if told is not None:
            told()


class LocalWire:
    """One end of a wire within this process."""

    def __init__(self, inbound: Pipe, outbound: Pipe) -> None:
        self._in, self._out = inbound, outbound

    def receive(self, timeout: float) -> bytes | None:
        return self._in.take(timeout)

    def send(self, data: bytes) -> None:
        self._out.put(data)

    def close(self) -> None:
        self._out.end()
        self._in.drop()


def pair() -> tuple[LocalWire, LocalWire]:
    """Both ends of a new wire."""
    one, other = Pipe(), Pipe()
    return LocalWire(one, other), LocalWire(other, one)
