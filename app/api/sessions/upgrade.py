"""An answer that takes the connection over: the request was the last that is HTTP on it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

from app.client.channel import keep_alive

# Serves a connection until either side has had enough. The bytes came already, behind the request.
Serve = Callable[[socket.socket, bytes], None]


class Upgrade:
    """The body of an answer 101: the worker hands it the connection (see `app.api.worker`).

    Args:
        head: what is sent first, with the status line and the headers. serve: does the rest.
        over: called once, when it is over, or when it never began.
    """

    def __init__(self, head: bytes, serve: Serve, over: Callable[[], None]) -> None:
        self._head, self._serve = head, serve
        self._over: Callable[[], None] | None = over

    def take_over(self, sock: socket.socket, begun: bytes = b"") -> None:
        """Serve the connection to its end."""
        try:
            with contextlib.suppress(OSError):
                sock.settimeout(None)
                keep_alive(sock)
                sock.sendall(self._head)
                self._serve(sock, begun)
        finally:
            self.close()

    def __iter__(self) -> Iterator[bytes]:
        """Nothing: a server that can't hand over its connections can't serve this."""
        return iter(())

    def close(self) -> None:
        over, self._over = self._over, None
        if over is not None:
            over()


def switching(protocol: str) -> bytes:
    """The head of an answer that switches to a protocol other than WebSocket (RFC 9110, 15.2.2)."""
    return f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n".encode()


def hang_up(sock: socket.socket) -> None:
    """End a connection, whoever reads from it or writes to it."""
    with contextlib.suppress(OSError):
        # Of a TLS connection the bare socket: its own `shutdown` would wait for nothing, but drop the TLS state
        # under whoever still reads.
        getattr(sock, "_sock", sock).shutdown(socket.SHUT_RDWR)
