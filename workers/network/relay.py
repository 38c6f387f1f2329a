"""One proxied TCP connection: finding an endpoint that answers, then passing bytes both ways.

Each direction is closed on its own (half-close), as the two ends would see it without a proxy, and a
reset at one end becomes a reset at the other.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable
from functools import partial
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT

from workers.network.loop import Loop
from workers.network.rules import Endpoint

CHUNK = 65536
CONNECT_SECONDS = 2.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Relay:
    """Joins `client` to the first of `endpoints` (tried from the last on) that accepts. Nothing is read
    of the client before, so that trying another endpoint can't repeat or lose a byte."""

    __slots__ = (
        "_attempt", "_client", "_done", "_endpoints", "_eof", "_events", "_loop", "_pending", "_server",
        "ended", "endpoint",
    )  # fmt: skip

    def __init__(
        self,
        loop: Loop,
        client: socket.socket,
        endpoints: list[Endpoint],
        done: Callable[[Relay], None],
    ) -> None:
        self._loop = loop
        self._client = client
        self._server: socket.socket | None = None
        self._endpoints = endpoints
        self._done = done
        self._attempt = 0
        self._eof: set[socket.socket] = set()  # ends that have sent their last byte
        self._pending: dict[socket.socket, memoryview] = {}  # what an end could not take yet
        self._events: dict[socket.socket, int] = {}
        self.endpoint: Endpoint | None = None
        self.ended = False
        self._connect()

    def _connect(self) -> None:
        while self._endpoints:
            endpoint = self._endpoints.pop()
            server = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                code = server.connect_ex((endpoint.ip, endpoint.port))
            except OSError as exc:
                code = exc.errno or errno.EIO
            if code not in (0, errno.EINPROGRESS):
                server.close()
                continue
            self.endpoint = endpoint
            self._server = server
            self._attempt += 1
            self._loop.add(server, EPOLLOUT, self._connected)
            self._loop.later(CONNECT_SECONDS, partial(self._give_up, self._attempt))
            return
        self.abort()

    def _give_up(self, attempt: int) -> None:
        """The endpoint did not answer in time: try another, unless it has meanwhile."""
        if not self.ended and self._attempt == attempt and self._server not in self._events:
            self._next()

    def _next(self) -> None:
        assert self._server is not None
        self._loop.retire(self._server)
        self._server = None
        self._connect()

    def _connected(self, events: int) -> None:
        server = self._server
        assert server is not None
        if server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._next()
            return
        self._loop.remove(server)
        self._events = {server: EPOLLIN, self._client: EPOLLIN}
        self._loop.add(server, EPOLLIN, self._on_server)
        self._loop.add(self._client, EPOLLIN, self._on_client)
        self._on_client(EPOLLIN)  # the request is mostly there by now

    def _on_client(self, events: int) -> None:
        assert self._server is not None
        self._ready(self._client, self._server, events)

    def _on_server(self, events: int) -> None:
        assert self._server is not None
        self._ready(self._server, self._client, events)

    def _ready(self, end: socket.socket, other: socket.socket, events: int) -> None:
        if self.ended:
            return
        try:
            if events & EPOLLOUT and end in self._pending:
                self._send(end, self._pending.pop(end))
                if end not in self._pending and other in self._eof:
                    end.shutdown(socket.SHUT_WR)
            if events & (EPOLLIN | EPOLLHUP | EPOLLERR):
                if end not in self._eof and other not in self._pending:
                    self._pass(end, other)
                elif events & EPOLLERR:
                    self.abort()
                    return
        except BlockingIOError:
            pass
        except OSError:
            self.abort()
            return
        if len(self._eof) == 2 and not self._pending:
            self._end()
            return
        self._listen(end, other)
        self._listen(other, end)

    def _pass(self, end: socket.socket, other: socket.socket) -> None:
        data = end.recv(CHUNK)
        if data:
            self._send(other, memoryview(data))
            return
        self._eof.add(end)
        if other not in self._pending:
            other.shutdown(socket.SHUT_WR)

    def _send(self, end: socket.socket, data: memoryview) -> None:
        try:
            sent = end.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._pending[end] = data[sent:]

    def _listen(self, end: socket.socket, other: socket.socket) -> None:
        """Read an end only while the other takes what it sends."""
        wanted = 0
        if end not in self._eof and other not in self._pending:
            wanted |= EPOLLIN
        if end in self._pending:
            wanted |= EPOLLOUT
        if self._events[end] != wanted:
            self._events[end] = wanted
            self._loop.modify(end, wanted)

    def abort(self) -> None:
        """End both ends with a reset: the peer must not take a cut stream for a whole one."""
        for sock in (self._client, self._server):
            if sock is not None and not self.ended:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._end()

    def _end(self) -> None:
        if self.ended:
            return
        self.ended = True
        self._loop.retire(self._client)
        if self._server is not None:
            self._loop.retire(self._server)
        self._done(self)
