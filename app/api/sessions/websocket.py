"""WebSockets (RFC 6455) on a connection that a request was read from."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Message, Ping, Request
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from app.base.errors import BadRequest, Forbidden

READ = 256 * 1024
_HANDSHAKE = (
    "CONNECTION", "UPGRADE", "SEC_WEBSOCKET_VERSION", "SEC_WEBSOCKET_KEY", "SEC_WEBSOCKET_PROTOCOL", "SEC_WEBSOCKET_EXTENSIONS",
)  # fmt: skip
NORMAL, TOO_BIG, FAILED = 1000, 1009, 1011


class WebSocket:
    """The server's end of a WebSocket. One thread reads, any may write.

    Attributes:
        protocol: the subprotocol agreed upon; empty for none. head: the answer to the handshake.
    """

    def __init__(self, environ: dict[str, Any], served: Sequence[str], *, needed: bool = False) -> None:
        """Args: served: the subprotocols there are. needed: a client that asks for none of them is refused.

        Raises:
            BadRequest: this is no handshake. Forbidden: no common subprotocol.
        """
        self._connection = WSConnection(ConnectionType.SERVER)
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._over = False
        try:
            self._connection.initiate_upgrade_connection(_headers(environ), "/")
            asked = next(iter(self._connection.events()))
        except (RemoteProtocolError, LocalProtocolError) as exc:
            raise BadRequest(f"not a WebSocket handshake: {exc}") from None
        if not isinstance(asked, Request):
            raise BadRequest("not a WebSocket handshake")
        # The first that the client names and this side knows.
        self.protocol = next((each for each in asked.subprotocols if each in served), "")
        if not self.protocol and (needed or asked.subprotocols):
            raise Forbidden(
                f"none of the requested protocols is supported: {', '.join(asked.subprotocols)[:256] or 'none given'}"
            )
        self.head = self._connection.send(AcceptConnection(subprotocol=self.protocol or None))

    def open(self, sock: socket.socket) -> None:
        """The handshake is answered on this connection."""
        self._socket = sock

    def messages(self, begun: bytes = b"") -> Iterator[tuple[bytes, bool, bool]]:
        """`(data, first, last)` of each piece of a message as it comes, until the client leaves."""
        assert self._socket is not None
        data, first = begun, True
        while True:
            if data:
                with self._lock:
                    try:
                        self._connection.receive_data(data)
                    except RemoteProtocolError:
                        return
                for event in self._events():
                    if isinstance(event, Ping):
                        self._answer(event.response())
                    elif isinstance(event, CloseConnection):
                        self._answer(event.response())
                        return
                    elif isinstance(event, Message):
                        piece = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
                        yield piece, first, event.message_finished
                        first = event.message_finished
            try:
                data = self._socket.recv(READ)
            except OSError:
                return
            if not data:
                return

    def send(self, data: bytes, *, text: bool = False) -> None:
        """Send a message. Raises OSError if the client has gone."""
        event: Any = BytesMessage(data)
        if text:
            from wsproto.events import TextMessage

            event = TextMessage(data.decode("ascii"))
        self._send(event)

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Say goodbye; the client may still have something to say."""
        with contextlib.suppress(OSError):
            self._send(CloseConnection(code, reason[:120]))

    def _events(self) -> Iterator[Any]:
        try:
            yield from self._connection.events()
        except RemoteProtocolError as exc:
            if exc.event_hint is not None:
                self._answer(exc.event_hint)
            yield CloseConnection(FAILED)

    def _answer(self, event: Any) -> None:
        with contextlib.suppress(OSError):
            self._send(event)

    def _send(self, event: Any) -> None:
        """Raises OSError."""
        assert self._socket is not None
        with self._lock:
            try:
                data = self._connection.send(event)
            except LocalProtocolError as exc:
                raise ConnectionError(f"the WebSocket is closed: {exc}") from exc
            self._socket.sendall(data)


def wanted(environ: dict[str, Any]) -> bool:
    """Whether a request asks for a WebSocket."""
    return str(environ.get("HTTP_UPGRADE", "")).lower() == "websocket"


def _headers(environ: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """What of the request is about the handshake; the rest has been judged already. There need not be a Host for it,
    and text that is no header's is left out, so that it is missed."""
    found = [(b"Host", b"localhost")]
    for name in _HANDSHAKE:
        value = str(environ.get(f"HTTP_{name}", "")).strip()
        if value and value.isascii() and value.isprintable():
            found.append((name.replace("_", "-").encode(), value.encode("latin-1")))
    return found
