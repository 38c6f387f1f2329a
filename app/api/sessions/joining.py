"""Where agents connect for a session: bytes between their connection and the wire, as they are."""

from __future__ import annotations

import socket
import threading
from typing import Any

from app.api import authz, routing
from app.api.answers import Answer
from app.api.gate import Gate
from app.api.sessions.sessions import WAIT, Sessions
from app.api.sessions.upgrade import Upgrade, hang_up, switching
from app.api.sessions.wires import Cut, Wire
from app.base.errors import BadRequest
from app.client.channel import PROTOCOL
from app.client.paths import AGENT_PREFIX

# What is read from a connection at once. Bytes.
READ = 256 * 1024


def stream_of(environ: dict[str, Any]) -> tuple[str, str] | None:
    """The node and the stream that an agent connects for; None if the request is another."""
    if environ.get("HTTP_UPGRADE") != PROTOCOL or not environ["PATH_INFO"].startswith(AGENT_PREFIX):
        return None
    parts = routing.segments(environ["PATH_INFO"])
    if len(parts) != 7 or parts[3] != "nodes" or parts[5] != "streams":
        return None
    return parts[4], parts[6]


def answer(gate: Gate, sessions: Sessions, environ: dict[str, Any], node: str, stream: str) -> Answer:
    """Join the agent's connection to the session.

    Raises:
        Forbidden: the agent is another node's. BadRequest: the name is none.
    """
    authz.authorize_node(gate.user(environ), node)
    if not (stream.isascii() and stream.isalnum() and len(stream) <= 64):
        raise BadRequest("a stream's name is up to 64 letters and digits")

    def serve(sock: socket.socket, begun: bytes) -> None:
        wire = sessions.join(stream)
        reader = threading.Thread(target=_inward, args=(sock, wire, begun), name="session-join", daemon=True)
        reader.start()
        try:
            while (data := wire.receive(WAIT)) is not None:
                if data:
                    sock.sendall(data)
        finally:
            wire.close()
            hang_up(sock)
            reader.join()

    return Answer(101, Upgrade(switching(PROTOCOL), serve, lambda: None))


def _inward(sock: socket.socket, wire: Wire, data: bytes) -> None:
    """From the agent to the wire."""
    try:
        while True:
            if data:
                wire.send(data)
            data = sock.recv(READ)
            if not data:
                return
    except (Cut, OSError):
        return
    finally:
        wire.close()
