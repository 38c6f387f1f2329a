"""Streams from agents: a reader asks for one, and the node's agent uploads it.

Reader and agent may be connected to different API servers: then the chunks flow through Redis. Mostly they are
connected to the same one, and what is uploaded is handed over within the process. Either way the first chunk in Redis
is a greeting that tells the reader that the agent is there, though its log be silent, and which way the rest comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from app.api.connection import Connection
from app.api.sessions.wires import Cut, Pipe
from app.base.clock import Clock
from app.base.errors import ServiceUnavailable, StoreUnavailable, Timeout
from app.store.agents import CHUNKS_AHEAD, AgentState

_GREETING = b"\x00beanpole-stream\x00"
_HERE = b"\x00beanpole-here\x00"
# How long the agent may take to begin, and how long one wait for chunks lasts (less than Redis's client waits
# for an answer). Seconds.
BEGIN = 15.0
WAIT = 2.0
# How long a writer pauses while its reader is behind, and how often it asks whether there still is one.
PAUSE = 0.02
PULSE = 2.0
# Upper bound of one chunk in Redis.
CHUNK = 256 * 1024


# By their names, the streams that somebody connected to this process reads.
_awaited: dict[str, Pipe] = {}


class Reader:
    """The body of an answer that comes from an agent. Iterating sends it, `close` tells the agent to stop."""

    def __init__(self, agents: AgentState, stream: str, limit: int | None, connection: Connection) -> None:
        self._agents = agents
        self._stream = stream
        self._pipe = _awaited[stream] = Pipe()
        self._here = False
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
                self._here = chunks[0] == _HERE
                self._waiting = chunks[1:] if chunks[0] in (_GREETING, _HERE) else chunks
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
        if not self._here:
            return self._agents.pop_chunks(self._stream, WAIT)
        data = self._pipe.take(WAIT)
        return None if data is None else [data]

    def close(self) -> None:
        self._connection.release()
        _awaited.pop(self._stream, None)
        self._pipe.drop()
        if not self._ended and not self._here:
            try:
                self._agents.abandon(self._stream)
            except StoreUnavailable:
                return

    def _hang_up(self) -> None:
        self._hung_up = True


def upload(agents: AgentState, stream: str, environ: dict[str, Any], clock: Clock) -> None:
    """Take a stream's chunks from an agent's request as they arrive, and pass them on.

    Raises:
        ServiceUnavailable: nobody reads any longer; the agent should stop.
    """
    connection = Connection(environ)
    pipe = _awaited.pop(stream, None)
    if pipe is not None:
        agents.push_chunk(stream, _HERE)
        _hand_over(pipe, connection, environ["wsgi.input"])
        return
    over = threading.Event()

    def pulse() -> None:
        # A silent log would keep its agent busy long after the reader has left.
        while not over.wait(PULSE):
            try:
                if agents.waiting_chunks(stream) < 0:
                    connection.abort()
                    return
            except StoreUnavailable:
                continue

    agents.push_chunk(stream, _GREETING)
    threading.Thread(target=pulse, name="stream-pulse", daemon=True).start()
    try:
        for chunk in pieces(environ["wsgi.input"]):
            waiting = agents.push_chunk(stream, chunk)
            while waiting >= CHUNKS_AHEAD:
                clock.sleep(PAUSE)
                waiting = agents.waiting_chunks(stream)
            if waiting < 0:
                connection.abort()
                raise ServiceUnavailable("nobody reads this stream any longer")
    except OSError:
        # The agent hung up: what it sent is all there is.
        pass
    finally:
        over.set()
        agents.push_chunk(stream, None)


def _hand_over(pipe: Pipe, connection: Connection, source: Any) -> None:
    """Raises ServiceUnavailable: nobody reads any longer."""
    # A silent log would keep its agent busy long after the reader has left.
    pipe.when_dropped(connection.abort)
    try:
        for chunk in pieces(source):
            pipe.put(chunk)
    except Cut:
        connection.abort()
        raise ServiceUnavailable("nobody reads this stream any longer") from None
    except OSError:
        # The agent hung up, or was hung up on: what it sent is all there is.
        pass
    finally:
        pipe.end()


def pieces(source: Any) -> Iterator[bytes]:
    """What a request's body brings, piece by piece as it arrives: gunicorn's own `read` would wait until it
    has as much as was asked for."""
    arriving: Any = getattr(getattr(source, "reader", None), "parser", None)
    read: Callable[[], bytes] = (
        (lambda: next(arriving, b"")) if arriving is not None else (lambda: source.read(CHUNK))
    )
    while data := read():
        for start in range(0, len(data), CHUNK):
            yield bytes(data[start : start + CHUNK])
