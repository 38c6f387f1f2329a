"""Streams from agents: a reader asks for one, and the node's agent uploads it.

Reader and agent may be connected to different API servers: then the chunks flow through Redis. Mostly they are
connected to the same one, and what is uploaded is handed over within the process. Either way the first chunk in Redis
is a greeting that tells the reader that the agent is there, though its log be silent, and which way the rest comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from app.api.connection import Connection
from app.api.sessions import lists
from app.api.sessions.lists import ListWire
from app.api.sessions.wires import Cut, Pipe
from app.base.clock import Clock
from app.base.errors import ServiceUnavailable, StoreUnavailable, Timeout
from app.store.agents import AgentState

_GREETING = b"\x00beanpole-stream\x00"
_HERE = b"\x00beanpole-here\x00"
# How long the agent may take to begin, and how long one wait for chunks lasts (less than Redis's client waits
# for an answer). Seconds.
BEGIN = 15.0
WAIT = 2.0
# What is read from a request at once, where it does not come in chunks. Bytes.
CHUNK = 256 * 1024


# By their names, the streams that somebody connected to this process reads.
_awaited: dict[str, Pipe] = {}


class Reader:
    """The body of an answer that comes from an agent. Iterating sends it, `close` tells the agent to stop."""

    def __init__(self, agents: AgentState, stream: str, limit: int | None, connection: Connection) -> None:
        self._agents = agents
        self._stream = stream
        self._pipe = _awaited[stream] = Pipe()
        self._wire: ListWire | None = None
        self._left = limit
        self._connection = connection
        self._waiting: list[bytes] = []
        self._ended = False
        self._hung_up = False

    def begin(self, node: str, clock: Clock) -> None:
        """Wait until the agent has begun.

        Raises:
            Timeout: it does not.
        """
        try:
            if self._greeted(clock):
                return
        finally:
            _awaited.pop(self._stream, None)
        self._agents.abandon(self._stream)
        # No Retry-After: clients would sit and retry by themselves instead of showing this.
        raise Timeout(f"the agent of node {node} does not answer; is it running and Ready?")

    def _greeted(self, clock: Clock) -> bool:
        end = clock.monotonic() + BEGIN
        while clock.monotonic() < end:
            chunks = self._agents.pop_chunks(self._stream, WAIT)
            if chunks is None:
                self._ended = True
                return True
            if chunks:
                if chunks[0] != _HERE:
                    self._wire = lists.for_user(self._agents, self._stream, clock)
                self._waiting = chunks[1:]
                return True
        return False

    def __iter__(self) -> Iterator[bytes]:
        self._connection.on_hangup(self._hang_up)
        yield b""
        chunks: list[bytes] | None = self._waiting
        while chunks is not None and not self._hung_up:
            for chunk in chunks:
                piece = chunk if self._left is None else chunk[: self._left]
                if self._left is not None:
                    self._left -= len(piece)
                yield piece
                if self._left == 0:
                    return
            chunks = None if self._ended else self._next()
        self._ended = chunks is None

    def _next(self) -> list[bytes] | None:
        """What comes next; None at the end. Raises ServiceUnavailable: it broke off."""
        data = self._pipe.take(WAIT) if self._wire is None else self._wire.receive(WAIT)
        if self._wire is not None and self._wire.broken:
            raise ServiceUnavailable("the stream broke off: the other API server or Redis went away")
        return None if data is None else [data]

    def close(self) -> None:
        self._connection.release()
        _awaited.pop(self._stream, None)
        self._pipe.drop()
        if self._wire is not None:
            self._wire.close()

    def _hang_up(self) -> None:
        self._hung_up = True


def upload(agents: AgentState, stream: str, environ: dict[str, Any], clock: Clock) -> None:
    """Take a stream's chunks from an agent's request as they arrive, and pass them on.

    Raises:
        ServiceUnavailable: nobody reads any longer, or Redis is away; the agent should stop.
    """
    connection = Connection(environ)
    pipe = _awaited.pop(stream, None)
    try:
        agents.push_chunk(stream, _GREETING if pipe is None else _HERE)
        # A silent log would keep its agent busy long after the reader has left: then it is hung up on at once.
        if pipe is None:
            wire = lists.for_agent(agents, stream, clock, connection.abort)
            _pass_on(environ["wsgi.input"], wire.send, wire.close)
        else:
            pipe.when_dropped(connection.abort)
            _pass_on(environ["wsgi.input"], pipe.put, pipe.end)
    except (Cut, StoreUnavailable) as exc:
        # What the agent goes on to send must not be taken for its next request.
        connection.abort()
        raise ServiceUnavailable("nobody reads this stream any longer") from exc


def _pass_on(source: Any, send: Callable[[bytes], None], end: Callable[[], None]) -> None:
    """Raises Cut: nobody reads any longer."""
    try:
        for chunk in pieces(source):
            send(chunk)
    except OSError:
        # The agent hung up, or was hung up on: what it sent is all there is.
        pass
    finally:
        end()


def pieces(source: Any) -> Iterator[bytes]:
    """What a request's body brings, piece by piece as it arrives: gunicorn's own `read` would wait until it
    has as much as was asked for."""
    arriving: Any = getattr(getattr(source, "reader", None), "parser", None)
    read: Callable[[], bytes] = (
        (lambda: next(arriving, b"")) if arriving is not None else (lambda: source.read(CHUNK))
    )
    while data := read():
        yield bytes(data)
