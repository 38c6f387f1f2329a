"""A connection that the engine hands over after its answer: what a command says and is told (`exec`, `attach`).

Without a terminal, the engine puts a head of 8 bytes before each piece of output: the stream, and its length
(https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach).
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from typing import Any

import docker

from workers.runtime.interactive import READ, STDERR, STDOUT

_HEAD = struct.Struct(">BxxxI")
# Nothing can be read or written at the moment; over TLS perhaps because half a record has come or gone.
_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
# What is begun over TLS has to be offered again from the same beginning, so not more than is sent at once: a record.
_RECORD = 16 * 1024


class Stream:
    """See the module. One thread reads while another writes.

    Args:
        handed: what the SDK hands out: a socket, or a file object around one. framed: pieces have heads.
    """

    def __init__(self, handed: Any, *, framed: bool) -> None:
        # Over a unix socket it is wrapped in a file object, which must be kept: the connection ends with it.
        self._handed, self._framed = handed, framed
        self._socket: socket.socket = getattr(handed, "_sock", handed)
        self._socket.setblocking(False)
        self._came = _read_ahead(handed)
        # Of the piece whose head was read last: what of it is to come, and whose it is.
        self._left, self._name = 0, STDOUT
        # Over TLS the two directions have a state in common.
        self._turn = threading.Lock()
        self._closed = False

    def read(self, timeout: float) -> tuple[int, bytes] | None:
        """See `Interactive.read`."""
        while (found := self._parsed()) is None:
            try:
                data = self._received(timeout)
            except (OSError, ValueError):
                return None
            if data is None:
                return STDOUT, b""
            if not data:
                return None
            self._came += data
        return found

    def write(self, data: bytes, timeout: float) -> int:
        """See `Interactive.write`."""
        if self._closed:
            raise BrokenPipeError("no more input is taken")
        if not self._ready(select.POLLOUT, timeout):
            return 0
        with self._turn, contextlib.suppress(*_LATER):
            return self._socket.send(data[:_RECORD] if isinstance(self._socket, ssl.SSLSocket) else data)
        return 0

    def end_input(self) -> None:
        """There is no more to write; what the other side says is read on. Not over TLS (see `ends_input`). Raises OSError."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """The connection is over, for the engine as well."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        # The answer holds the connection, and they hold each other.
        for each in (self._handed, getattr(self._handed, "_response", None)):
            if each is not None:
                with contextlib.suppress(OSError, ValueError):
                    each.close()

    def _received(self, timeout: float) -> bytes | None:
        """What came; empty at the end, None if nothing did in time. Raises OSError."""
        for waits in (True, False):
            try:
                with self._turn:
                    return self._socket.recv(READ)
            except _LATER:
                if waits and not self._ready(select.POLLIN, timeout):
                    break
        return None

    def _ready(self, events: int, timeout: float) -> bool:
        poll = select.poll()
        poll.register(self._socket.fileno(), events)
        return bool(poll.poll(timeout * 1000))

    def _parsed(self) -> tuple[int, bytes] | None:
        """The next output of what was read already, if there is any."""
        if not self._framed:
            data, self._came = self._came, b""
            return (STDOUT, data) if data else None
        while self._came:
            if self._left == 0:
                if len(self._came) < _HEAD.size:
                    return None
                name, self._left = _HEAD.unpack_from(self._came)
                self._name = STDERR if name == STDERR else STDOUT
                self._came = self._came[_HEAD.size :]
                continue
            data, self._came = self._came[: self._left], self._came[self._left :]
            self._left -= len(data)
            return self._name, data
        return None


def ends_input(client: docker.APIClient) -> bool:
    """Whether this engine can be told that there is no more input. Over TLS that takes a message, after which Python's ssl
    throws away what the engine says."""
    return not client.base_url.startswith("https:")


def _read_ahead(handed: Any) -> bytes:
    """What came right behind the head of the engine's answer, which was read together with it. The stream's socket must
    not block."""
    response = getattr(handed, "_response", None)
    buffered = getattr(getattr(getattr(response, "raw", None), "_fp", None), "fp", None)
    if buffered is None:
        return b""
    try:
        return buffered.read1(READ) or b""
    except (OSError, ValueError):
        return b""
