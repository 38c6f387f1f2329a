"""Sessions: a user's side asks a node's agent for one, the agent connects, and both ends are joined.

The agent may connect to another API server than the user: then the wire runs through Redis, otherwise it stays
within the process. The agent's first frame says whether it could begin.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from app.api.sessions import lists
from app.api.sessions.wires import LocalWire, Wire, pair
from app.base import frames
from app.base.clock import Clock
from app.base.errors import ApiError, ServiceUnavailable, Timeout, TooManyRequests
from app.base.frames import Frame, Part
from app.base.ids import Ids
from app.objects.change import Object
from app.store.agents import AgentState
from app.store.store import Store

# How long an agent may take to connect and begin. Seconds.
BEGIN = 15.0
WAIT = 2.0
# So many sessions one API process holds; who asks for another is told to come back.
MOST = 1000
# Nothing was said for so long, either way: the session ends (kubelet: --streaming-connection-idle-timeout). Seconds.
IDLE = 4 * 3600.0
# What the agent's API server says to the user's: join me here, or through the lists.
HERE, THERE = b"\x00here", b"\x00there"


class Session:
    """The user's end: frames to and from the agent. Any thread may send; one receives."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self._wire, self._clock = wire, clock
        self._decoder = frames.Decoder()
        self._lock = threading.Lock()
        self._heard = clock.monotonic()
        self._waiting: list[Frame] = []

    def put_back(self, waiting: list[Frame]) -> None:
        """These are received next."""
        self._waiting = waiting

    def send(self, part: int, data: bytes = b"", connection: int = 0) -> None:
        """Raises Cut: the agent has gone."""
        self._heard = self._clock.monotonic()
        with self._lock:
            self._wire.send(frames.encode(part, data, connection))

    def frames(self) -> Iterator[Frame]:
        """What the agent says, until it goes or nothing has happened for too long."""
        while (frame := self.next(IDLE)) is not None:
            yield from frame

    def next(self, patience: float) -> list[Frame] | None:
        """The frames that came; None once the agent has gone, or after `patience` seconds without any."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            return waiting
        while True:
            data = self._wire.receive(WAIT)
            now = self._clock.monotonic()
            if data:
                self._heard = now
                try:
                    found = list(self._decoder.feed(data))
                except ValueError:
                    return None
                if found:
                    return found
            elif data is None or now - self._heard > patience:
                return None

    def close(self) -> None:
        """Leave; the agent ends what it ran for this session."""
        self._wire.close()


class Sessions:
    """All sessions of an API process.

    Args:
        nudge: tells a node's agent that something waits for it.
    """

    def __init__(
        self, store: Store, agents: AgentState, nudge: Callable[[Object], None], clock: Clock, ids: Ids
    ) -> None:
        self._store, self._agents, self._nudge, self._clock, self._ids = store, agents, nudge, clock, ids
        self._lock = threading.Lock()
        self._awaited: dict[str, tuple[LocalWire, LocalWire]] = {}
        self._open: set[Session] = set()
        self.opened: dict[str, int] = {}

    @property
    def count(self) -> int:
        """Sessions that are open now."""
        return len(self._open)

    def open(self, kind: str, pod: Object, **wanted: Any) -> Session:
        """A session with the agent of the pod's node, which has begun; `close` it.

        Args:
            kind: what the agent is asked for: exec, attach, ports. wanted: how.

        Raises:
            TooManyRequests: there are too many already. ServiceUnavailable: the node is gone.
            Timeout: its agent does not answer. ApiError: the agent can't do it; says why.
        """
        if len(self._open) >= MOST:
            raise TooManyRequests("too many connections into pods are open on this server", retry_after=5)
        meta = pod["metadata"]
        name = (pod.get("spec") or {}).get("nodeName") or ""
        node = self._store.get("nodes", name)
        if node is None:
            raise ServiceUnavailable(f"the node {name} of this pod is gone")
        stream = self._ids.trace()
        ends = self._awaited[stream] = pair()
        try:
            asked = {"namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
            self._agents.offer_stream(name, {"id": stream, "kind": kind, **asked, **wanted})
            self._nudge(orjson.loads(node.body))
            wire = self._joined(stream, ends[0], name)
        finally:
            self._awaited.pop(stream, None)
        session = Session(wire, self._clock)
        with self._lock:
            self._open.add(session)
            self.opened[kind] = self.opened.get(kind, 0) + 1
        try:
            self._begun(session, name)
        except BaseException:
            self.close(session)
            raise
        return session

    def close(self, session: Session) -> None:
        """The user's side is done with it."""
        session.close()
        with self._lock:
            self._open.discard(session)

    def join(self, stream: str) -> Wire:
        """The agent's end of a session that was asked for, here or at another server."""
        ends = self._awaited.pop(stream, None)
        self._agents.push_chunk(stream, HERE if ends else THERE)
        return ends[1] if ends else lists.for_agent(self._agents, stream, self._clock)

    def stop(self) -> None:
        """End them all: the server is going down."""
        with self._lock:
            left = list(self._open)
        for session in left:
            session.close()

    def _joined(self, stream: str, here: LocalWire, node: str) -> Wire:
        """The user's end, once the agent has connected somewhere."""
        end = self._clock.monotonic() + BEGIN
        while self._clock.monotonic() < end:
            chunks = self._agents.pop_chunks(stream, WAIT)
            if chunks is None:
                break
            if chunks and chunks[0] == HERE:
                return here
            if chunks:
                return _Resumed(b"".join(chunks[1:]), lists.for_user(self._agents, stream, self._clock))
        self._agents.abandon(stream)
        raise Timeout(f"the agent of node {node} does not answer; is it running and Ready?")

    def _begun(self, session: Session, node: str) -> None:
        first = session.next(BEGIN)
        if not first:
            raise ServiceUnavailable(f"the agent of node {node} hung up")
        if first[0].part == Part.REFUSED:
            raise ApiError(str(orjson.loads(first[0].data).get("message")))
        session.put_back(first[1:])


class _Resumed:
    """A wire of which something was received already."""

    def __init__(self, data: bytes, wire: Wire) -> None:
        self._data, self._wire = data, wire
        self.send, self.close = wire.send, wire.close

    def receive(self, timeout: float) -> bytes | None:
        data, self._data = self._data, b""
        return data or self._wire.receive(timeout)
