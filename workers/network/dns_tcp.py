"""DNS over TCP: messages with their length in front, several to a connection.

Each connection has a thread while it lasts. How many there may be is bounded, in all and for one client, so that a
pod that opens more and more of them takes neither the agent's threads nor the other pods' turn.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import socketserver
import struct
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

IDLE_SECONDS = 10.0
CONNECTIONS = 128
CONNECTIONS_PER_CLIENT = 16

Reply = Callable[[bytes], "bytes | None"]


class TcpServer(socketserver.ThreadingTCPServer):
    """Answers each message with what `reply` makes of it; None ends the connection.

    Raises:
        OSError: the address can't be had.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], reply: Reply) -> None:
        self.reply = reply
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for one more; if not, it is closed."""
        client = client_address[0]
        with self._lock:
            room = self._open.total() < CONNECTIONS and self._open[client] < CONNECTIONS_PER_CLIENT
            if room:
                self._open[client] += 1
        return room

    def process_request(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the machine has no more threads
            self.ended(client_address[0])
            raise

    def ended(self, client: str) -> None:
        """A connection of this client that `verify_request` let in is over."""
        with self._lock:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a DNS client over TCP failed", exc_info=True)


class _Handler(socketserver.BaseRequestHandler):
    server: TcpServer

    def handle(self) -> None:
        self.request.settimeout(IDLE_SECONDS)
        with contextlib.suppress(OSError):
            while data := read_message(self.request):
                reply = self.server.reply(data)
                if reply is None:
                    return
                self.request.sendall(framed(reply))

    def finish(self) -> None:
        self.server.ended(self.client_address[0])


def framed(data: bytes) -> bytes:
    """A message as it goes over TCP."""
    return struct.pack("!H", len(data)) + data


def read_message(sock: socket.socket) -> bytes:
    """The next message; empty at the end."""
    size = _read(sock, 2)
    return _read(sock, struct.unpack("!H", size)[0]) if len(size) == 2 else b""


def _read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            return b""
        data += piece
    return data
