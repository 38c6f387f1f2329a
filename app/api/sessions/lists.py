"""A wire between two API servers: the user is connected to one, the agent to the other. It runs through two lists
in Redis, as logs do."""

from __future__ import annotations

from app.api.sessions.wires import Cut
from app.base.clock import Clock
from app.base.errors import StoreUnavailable
from app.store.agents import CHUNKS_AHEAD, AgentState

# How long a writer pauses while its reader is behind; how often each side says that it is still there. Seconds.
PAUSE = 0.02
PULSE = 4.0
# One wait in Redis is no longer than this (less than its client waits for an answer). Seconds.
WAIT = 2.0
# Upper bound of one chunk.
CHUNK = 256 * 1024


class ListWire:
    """One end. Args: inbound, outbound: the streams it reads and writes; the other end has them reversed."""

    def __init__(self, agents: AgentState, inbound: str, outbound: str, clock: Clock) -> None:
        self._agents, self._in, self._out, self._clock = agents, inbound, outbound, clock
        self._next_pulse = 0.0
        self._closed = False
        agents.announce(inbound)

    def receive(self, timeout: float) -> bytes | None:
        if self._closed:
            return None
        try:
            if not self._there():
                return None
            chunks = self._agents.pop_chunks(self._in, min(timeout, WAIT))
        except StoreUnavailable:
            return None
        return None if chunks is None else b"".join(chunks)

    def send(self, data: bytes) -> None:
        try:
            for start in range(0, len(data), CHUNK):
                waiting = self._agents.push_chunk(self._out, data[start : start + CHUNK])
                while waiting >= CHUNKS_AHEAD and not self._closed:
                    self._clock.sleep(PAUSE)
                    waiting = self._agents.waiting_chunks(self._out)
                if waiting < 0 or self._closed:
                    raise Cut("nobody reads any longer")
        except StoreUnavailable as exc:
            raise Cut(str(exc)) from exc

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._agents.push_chunk(self._out, None)
            self._agents.abandon(self._in)
        except StoreUnavailable:
            return

    def _there(self) -> bool:
        """Whether the other side still is, as far as is known. Now and then says that this one is."""
        now = self._clock.monotonic()
        if now < self._next_pulse:
            return True
        first = self._next_pulse == 0.0
        self._next_pulse = now + PULSE
        return self._agents.announce(self._in, self._out) or first
