"""A wire between two API servers: the user is connected to one, the agent to the other. It runs through two lists
in Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.api.sessions.wires import Cut
from app.base.clock import Clock
from app.base.errors import StoreUnavailable
from app.store.agents import CHUNKS_AHEAD, PRESENCE, AgentState

# How long a writer pauses while its reader is behind; how often each side says that it is still there. Seconds.
PAUSE = 0.02
PULSE = 2.0
# Whoever says nothing for so long has vanished; so long they may take to begin. Seconds.
SILENCE = float(PRESENCE)
# One wait in Redis is no longer than this (less than its client waits for an answer). Seconds.
WAIT = 2.0
# Upper bound of one chunk.
CHUNK = 256 * 1024


class ListWire:
    """One end. While it is open it says that it still is, however long its owner takes to read.

    Args:
        inbound, outbound: the streams it reads and writes; the other end has them reversed.
        when_gone: called once if the other side goes away or vanishes.

    Attributes:
        broken: what came ended because the other side or Redis vanished, and not because that was all.
    """

    def __init__(
        self,
        agents: AgentState,
        inbound: str,
        outbound: str,
        clock: Clock,
        when_gone: Callable[[], None] | None = None,
    ) -> None:
        self._agents, self._in, self._out, self._clock = agents, inbound, outbound, clock
        self._when_gone = when_gone
        self._closed = threading.Event()
        self._vanished = False
        self.broken = False
        agents.pulse(inbound, outbound)
        threading.Thread(target=self._pulse, name="wire-pulse", daemon=True).start()

    def receive(self, timeout: float) -> bytes | None:
        if self._closed.is_set():
            return None
        try:
            chunks = self._agents.pop_chunks(self._in, min(timeout, WAIT))
        except StoreUnavailable:
            self.broken = True
            return None
        if not chunks and chunks is not None and self._vanished:
            self.broken = True
            return None
        return None if chunks is None else b"".join(chunks)

    def send(self, data: bytes) -> None:
        try:
            for start in range(0, len(data), CHUNK):
                waiting = self._agents.push_chunk(self._out, data[start : start + CHUNK])
                while waiting >= CHUNKS_AHEAD and not self._over:
                    self._clock.sleep(PAUSE)
                    waiting = self._agents.waiting_chunks(self._out)
                if waiting < 0 or self._over:
                    raise Cut("nobody reads any longer")
        except StoreUnavailable as exc:
            raise Cut(str(exc)) from exc

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        try:
            self._agents.push_chunk(self._out, None)
            self._agents.abandon(self._in)
        except StoreUnavailable:
            return

    @property
    def _over(self) -> bool:
        return self._vanished or self._closed.is_set()

    def _pulse(self) -> None:
        began, met = self._clock.monotonic(), False
        while not self._closed.wait(PULSE):
            try:
                there, gone = self._agents.pulse(self._in, self._out)
            except StoreUnavailable:
                # Whoever reads or writes hears of it; who does neither may see it come back.
                continue
            met = met or there
            late = met or self._clock.monotonic() - began >= SILENCE
            self._vanished = self._vanished or (late and not there)
            # Once this end is closed, whoever is told may have gone on to something else.
            if (gone or self._vanished) and self._when_gone is not None and not self._closed.is_set():
                told, self._when_gone = self._when_gone, None
                told()


def for_user(agents: AgentState, stream: str, clock: Clock) -> ListWire:
    """The end of whoever asked for a stream."""
    return ListWire(agents, stream, f"{stream}-in", clock)


def for_agent(
    agents: AgentState, stream: str, clock: Clock, when_gone: Callable[[], None] | None = None
) -> ListWire:
    """The end of the agent that was asked for it."""
    return ListWire(agents, f"{stream}-in", stream, clock, when_gone)
