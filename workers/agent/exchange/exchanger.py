"""When an agent process speaks with the API, and for which of its nodes at a time.

All nodes that have something to say within a short while share one request: a burst of work on a hundred nodes
costs few exchanges, and an idle process makes one in an interval.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.base.clock import Clock
from app.base.errors import ApiError, BeanpoleError, TooLarge
from app.base.ids import Ids
from app.client.statuses import of_event
from app.objects.change import Object
from workers.agent.exchange.outbox import ROOM, Batch
from workers.agent.exchange.services import ServiceNews, Services
from workers.agent.jobs import Jobs

log = logging.getLogger("beanpole.agent")

# What happens within so long goes up in one exchange. Seconds.
COALESCE = 0.015
# A timer may be off by so much. Seconds.
TOO_EARLY = 0.001
# Pauses after an exchange that failed. Seconds.
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
# After an exchange failed in a way that nobody foresaw, or what a node says was refused. Seconds.
FAILED_PAUSE = 5.0
# Statuses in one request, about, if they are of several nodes: the API commits them together.
STATUSES = 400
# An API that takes shorter requests only is spoken with in shorter ones, but not in shorter ones than this. Bytes.
LEAST_ROOM = 64 << 10
# So long after it refused one as too long: then it may have other settings, or what stood between may be gone. Seconds.
NARROW = 600.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one node says in one exchange, as it is sent and as its agent keeps it until it is heard. `size`: about as
    many bytes of JSON as that is."""

    request: Object
    batch: Batch
    notes: list[dict[str, object]]
    size: int


class Speaker(Protocol):
    """An agent, as far as exchanges go."""

    @property
    def name(self) -> str: ...

    def speak(self, room: int) -> Turn:
        """What there is to say now, in about `room` bytes of JSON; the rest is said with the next exchange."""
        ...

    def unheard(self, turn: Turn) -> None:
        """It did not arrive, or was refused: it is to be said again."""
        ...

    def hear(self, turn: Turn, answer: dict[str, Any], common: dict[str, Any]) -> None:
        """It arrived; `answer` is this node's own, `common` the one for all."""
        ...

    def services_changed(self, news: ServiceNews) -> None:
        """What all nodes share has changed, whether or not this node took part in the exchange."""
        ...

    @property
    def news(self) -> int:
        """How much there is to say."""
        ...


class Exchanger:
    """See the module. One exchange at a time.

    Args:
        send: makes a request to the API, and raises what keeps it from answering.
    """

    def __init__(
        self, send: Callable[[dict[str, Any]], dict[str, Any]], jobs: Jobs, clock: Clock, ids: Ids
    ) -> None:
        self.services = Services()
        self._send, self._jobs, self._clock, self._ids = send, jobs, clock, ids
        self._speakers: dict[str, Speaker] = {}
        self._due: dict[str, float] = {}
        self._due_lock = threading.Lock()
        self._speaking = threading.RLock()
        self._pause = 0.0
        self._room, self._narrow_until = ROOM, 0.0
        self._closed = False

    def join(self, speaker: Speaker) -> None:
        self._speakers[speaker.name] = speaker

    def ask(self, names: Iterable[str], delay: float, *, news: bool = False) -> None:
        """Exchange for the nodes in `delay` seconds at the latest. For mere `news`, the pause after a failure
        stands: they don't make the API answer."""
        due = self._clock.monotonic() + max(delay, self._pause if news else 0.0)
        earlier = False
        with self._due_lock:
            for name in names:
                if self._due.get(name, math.inf) > due:
                    self._due[name] = due
                    earlier = True
        if earlier:
            self._wake_at(due)

    def exchange(self, names: Sequence[str]) -> Sequence[str]:
        """One exchange for these nodes, and whatever follows from its answer. Returns those for which the request had
        no room left. Raises what the API raised; then nothing that was to be said is lost."""
        with self._speaking:
            if self._clock.monotonic() >= self._narrow_until:
                self._room = ROOM
            while True:
                try:
                    return names[self._exchange(names) :]
                except TooLarge:
                    self._narrow_until = self._clock.monotonic() + NARROW
                    if self._room <= LEAST_ROOM:
                        raise
                    self._room = max(LEAST_ROOM, self._room // 2)

    def _exchange(self, names: Sequence[str]) -> int:
        """One request, for as many of the nodes as it has room for. How many these are."""
        turns: list[tuple[Speaker, Turn]] = []
        room = self._room
        try:
            for name in names:
                if room <= 0:
                    break
                speaker = self._speakers[name]
                turn = speaker.speak(room)
                turns.append((speaker, turn))
                room -= turn.size
            said = {speaker.name: turn.request for speaker, turn in turns}
            answer = self._send({"network": self.services.known(), "nodes": said})
        except BaseException:
            for speaker, turn in turns:
                speaker.unheard(turn)
            raise
        self._fold(turns, answer)
        return len(turns)

    def farewell(self) -> None:
        """Begin nothing more. What was not said yet is said now, if the API answers."""
        if self._closed:
            return
        self._closed = True
        if not self.services.since:
            return
        before = math.inf
        try:
            # As often as it helps: what is refused stays.
            while (news := self._news()) and sum(news.values()) < before:
                before = sum(news.values())
                self.exchange(list(news))
        except BeanpoleError as exc:
            log.info("the last news could not be delivered: %s", exc)

    def _news(self) -> dict[str, int]:
        """How much each node has to say that has anything."""
        return {name: speaker.news for name, speaker in self._speakers.items() if speaker.news}

    def _fold(self, turns: Sequence[tuple[Speaker, Turn]], answer: dict[str, Any]) -> None:
        news = self.services.fold(answer)
        nodes = answer.get("nodes") or {}
        failed: Exception | None = None
        for speaker, turn in turns:
            own = nodes.get(speaker.name) or {}
            if "error" in own or not own:
                speaker.unheard(turn)
                self._refused(speaker.name, own.get("error") or {})
                continue
            try:
                speaker.hear(turn, own, answer)
            except Exception as exc:
                # Whatever it was, it keeps no other node from hearing, nor any from the rules: neither is told twice.
                failed = failed or exc
        if news.changed or news.moved:
            for speaker in self._speakers.values():
                speaker.services_changed(news)
        if failed is not None:
            raise failed

    def _refused(self, name: str, status: Object) -> None:
        error = of_event(status)
        log.warning("%s: the API does not accept what it says: %s", name, error)
        self.ask([name], float(error.retry_after or FAILED_PAUSE))

    def _job(self) -> None:
        names = self._gather()
        if names:
            self._run(names)
        with self._due_lock:
            first = min(self._due.values(), default=None)
        if first is not None:
            self._wake_at(first)

    def _gather(self) -> list[str]:
        """The nodes whose time has come, or comes so soon that it pays to take them along."""
        now = self._clock.monotonic()
        with self._due_lock:
            ready = sorted((due, name) for name, due in self._due.items() if due <= now + COALESCE)
            if not ready or ready[0][0] > now + TOO_EARLY:
                return []
            names, statuses = [], 0
            for _, name in ready:
                if statuses >= STATUSES:
                    break
                statuses += self._speakers[name].news
                names.append(name)
                del self._due[name]
        return names

    def _run(self, names: list[str]) -> None:
        try:
            left = self.exchange(names)
        except BeanpoleError as exc:
            self._pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, self._pause * 2))
            if isinstance(exc, ApiError) and exc.retry_after:
                self._pause = max(self._pause, float(exc.retry_after))
            log.warning("%s: the exchange failed: %s", _some(names), exc)
            pause = self._pause * (0.5 + self._ids.fraction())
            self.ask(names, pause)
        except Exception:
            self.ask(names, FAILED_PAUSE)
            raise
        else:
            self._pause = 0.0
            self.ask(left, 0.0)

    def _wake_at(self, due: float) -> None:
        if not self._closed:
            self._jobs.after(("exchange", id(self)), due - self._clock.monotonic(), self._job, "exchange")


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more nodes"
