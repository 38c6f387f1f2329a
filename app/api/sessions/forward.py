"""`pods/<name>/portforward`: connections to ports of a pod.

kubectl sends SPDY through a WebSocket; other clients have a pair of channels for each of `ports`, one for data and one
for errors, each of which begins with the port in two bytes, the lower first
(k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go).
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from app.api.sessions import websocket
from app.api.sessions.channels import PORT_FORWARD, Reader
from app.api.sessions.sessions import Session, Sessions
from app.api.sessions.tunnel import Tunnel, valid
from app.api.sessions.upgrade import Upgrade, hang_up
from app.api.sessions.websocket import WebSocket
from app.api.sessions.wires import Cut
from app.base.errors import BadRequest
from app.base.frames import Frame, Part
from app.objects.change import Object

TUNNELED = "SPDY/3.1+portforward.k8s.io"
# As many pairs of channels as there are bytes to name them.
PORTS_MAX = 100
PARTING = 3.0


def ports_of(text: str) -> list[int]:
    """The ports that a query asks for. Raises BadRequest: one is none, or there are too many."""
    asked = [each for name, value in parse_qsl(text) if name == "ports" for each in value.split(",")]
    for each in asked:
        if not valid(each):
            raise BadRequest(f'unable to parse "{each[:32]}" as a port: must be between 1 and 65535')
    if len(asked) > PORTS_MAX:
        raise BadRequest(f"too many ports: at most {PORTS_MAX}")
    return [int(each) for each in asked]


def serve(sessions: Sessions, pod: Object, environ: dict[str, Any]) -> Upgrade:
    """Connect the client.

    Raises:
        BadRequest, Forbidden: the request is no handshake that is understood here. Others: see `Sessions.open`.
    """
    if not websocket.wanted(environ):
        raise BadRequest("Upgrade request required")
    ports = ports_of(environ.get("QUERY_STRING", ""))
    line = WebSocket(environ, [TUNNELED, *PORT_FORWARD])
    if not ports and line.protocol != TUNNELED:
        raise BadRequest('query parameter "ports" is required')
    session = sessions.open("ports", pod)

    def run(sock: socket.socket, begun: bytes) -> None:
        line.open(sock)
        talk: _Tunneled | _Channels = (
            _Tunneled(line, session) if line.protocol == TUNNELED else _Channels(line, session, ports)
        )
        _both_ways(sock, line, session, talk.begin, talk.inward, talk.outward, begun)

    return Upgrade(line.head, run, lambda: sessions.close(session))


def _both_ways(
    sock: socket.socket,
    line: WebSocket,
    session: Session,
    begin: Callable[[], None],
    inward: Callable[[bytes, bool, bool], None],
    outward: Callable[[Frame], bool],
    begun: bytes,
) -> None:
    """Carry frames until either side leaves; `outward` says when nothing more is to come."""

    def read() -> None:
        try:
            # Of what is malformed there is nothing more to be had, either.
            with contextlib.suppress(Cut, OSError, ValueError):
                for piece, first, last in line.messages(begun):
                    inward(piece, first, last)
        finally:
            session.close()

    reader = threading.Thread(target=read, name="forward-input", daemon=True)
    try:
        begin()
        reader.start()
        for frame in session.frames():
            if outward(frame):
                break
        session.close()
        line.close()
        reader.join(PARTING)
    except (OSError, Cut):
        pass
    finally:
        session.close()
        hang_up(sock)
        if reader.ident is not None:
            reader.join()


class _Tunneled:
    """SPDY through the WebSocket."""

    def __init__(self, line: WebSocket, session: Session) -> None:
        self._tunnel = Tunnel(session.send, line.send)

    def begin(self) -> None:
        """The client begins."""

    def inward(self, piece: bytes, _first: bool, _last: bool) -> None:
        self._tunnel.take(piece)

    def outward(self, frame: Frame) -> bool:
        self._tunnel.tell(frame)
        return False


class _Channels:
    """A pair of channels for each port; each port is connected to once, at the beginning."""

    def __init__(self, line: WebSocket, session: Session, ports: list[int]) -> None:
        self._line, self._session, self._ports = line, session, ports
        self._protocol = PORT_FORWARD[line.protocol]
        self._reader = Reader(self._protocol)
        self._left = set(range(len(ports)))

    def begin(self) -> None:
        for number, port in enumerate(self._ports):
            self._session.send(Part.OPEN, str(port).encode(), number)
            for channel in (2 * number, 2 * number + 1):
                self._say(channel, port.to_bytes(2, "little"))

    def inward(self, piece: bytes, first: bool, last: bool) -> None:
        for channel, data in self._reader.feed(piece, first, last):
            if channel % 2 == 0 and channel // 2 < len(self._ports):
                self._session.send(Part.DATA, data, channel // 2)

    def outward(self, frame: Frame) -> bool:
        number = frame.connection
        if frame.part == Part.DATA:
            self._say(2 * number, frame.data)
        elif frame.part == Part.CLOSED or frame.part == Part.END:
            if frame.data:
                self._say(2 * number + 1, frame.data)
            # These protocols know no end of one direction, nor of one channel.
            self._left.discard(number)
        return not self._left

    def _say(self, channel: int, data: bytes) -> None:
        self._line.send(self._protocol.encode(channel, data), text=self._protocol.text)
