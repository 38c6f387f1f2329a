"""Pulls of one node: each image once for all who wait for it with the same logins, some at a time, watched.

A pull runs beside everything else. Who waits for it holds a ticket; a pull for which nobody waits any more is
cancelled, and so is one that gets nowhere for too long.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from app.base.clock import Clock
from workers.agent.images.keyring import Key
from workers.agent.jobs import Jobs
from workers.agent.record import Record
from workers.runtime.image_store import ImageStore, StoredImage, Transfer
from workers.runtime.images import Image
from workers.runtime.protocol import ContainerError

log = logging.getLogger("beanpole.agent")

# How often pulls are looked at. Seconds.
LOOK = 5.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A pull that went well. `new`: the machine did not have this content before; `named`: somebody had given it this
    name before."""

    found: StoredImage
    key: Key | None
    new: bool
    named: bool


Outcome = Fetched | ContainerError


@dataclass(slots=True, eq=False)
class Ticket:
    """A container that waits for an image. `asked`: since when, on the clock that only goes forward."""

    record: Record
    container: str
    init: bool
    text: str
    prints: tuple[str, ...]
    asked: float
    pull: Pull | None = None
    outcome: Outcome | None = None


@dataclass(slots=True, eq=False)
class Pull:
    """One pull. Times are of the clock that only goes forward.

    Attributes:
        moved: when bytes last flowed; steps: what the transfer had told by then. told: when users last heard of it.
    """

    image: Image
    keys: tuple[Key, ...]
    transfer: Transfer = field(default_factory=Transfer)
    tickets: list[Ticket] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0
    moved: float = 0.0
    steps: int = 0
    told: float = 0.0
    outcome: Outcome | None = None

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        return self.image.reference, tuple(key.print for key in self.keys)


def stalled(pull: Pull, active: Iterable[Pull], now: float, patience: float) -> bool:
    """Whether a pull has made no progress for `patience` seconds. One that the engine lets wait for others has made
    some as long as any of them does."""
    moved = pull.moved if pull.transfer.busy else max(other.moved for other in active)
    return now - moved >= patience


class Pulls:
    """See the module.

    Args:
        limit: how many run at the same time. patience: seconds without progress after which one is cancelled.
        progress: called now and then for a pull that runs. settled: called once when a pull is over.
    """

    def __init__(
        self,
        node: str,
        store: ImageStore,
        jobs: Jobs,
        clock: Clock,
        limit: int,
        patience: float,
        progress: Callable[[Pull, float], None],
        settled: Callable[[Pull], None],
    ) -> None:
        self._node, self._store, self._jobs, self._clock = node, store, jobs, clock
        self._limit, self._patience = max(1, limit), patience
        self._progress, self._settled = progress, settled
        self._lock = threading.Lock()
        self._wanted: dict[tuple[str, tuple[str, ...]], Pull] = {}
        self._waiting: list[Pull] = []
        self._active: list[Pull] = []

    def ask(self, image: Image, keys: tuple[Key, ...], ticket: Ticket) -> None:
        """Have the image pulled, or wait for the pull that is under way."""
        pull = Pull(image, keys)
        with self._lock:
            pull = self._wanted.setdefault(pull.key, pull)
            ticket.pull = pull
            pull.tickets.append(ticket)
            if len(pull.tickets) == 1:
                self._waiting.append(pull)
        self._begin()

    def leave(self, ticket: Ticket) -> None:
        """Nobody waits there any more."""
        pull = ticket.pull
        if pull is None:
            return
        with self._lock:
            if ticket in pull.tickets:
                pull.tickets.remove(ticket)
            if pull.tickets or pull.outcome is not None:
                return
            # At once: whoever asks for the image from here on has another pull.
            self._end(pull, ContainerError("ErrImagePull", "nobody waits for the image any more"))
        pull.transfer.cancel()
        self._begin()

    def look(self) -> None:
        """Tell of what runs, and cancel what gets nowhere."""
        now = self._clock.monotonic()
        with self._lock:
            active = list(self._active)
            for pull in active:
                if pull.steps != pull.transfer.steps:
                    pull.steps, pull.moved = pull.transfer.steps, now
        for pull in active:
            if stalled(pull, active, now, self._patience):
                message = f"the pull was cancelled: no progress for {self._patience:g} seconds"
                self._settle(pull, ContainerError("ErrImagePull", message))
                pull.transfer.cancel()
            else:
                self._progress(pull, now)
        if self._active:
            self._look_again()

    def _look_again(self) -> None:
        self._jobs.after(("pulls", self._node), LOOK, self.look, "stop")

    def _begin(self) -> None:
        """Start as many of those that wait as may run."""
        while True:
            with self._lock:
                if not self._waiting or len(self._active) >= self._limit:
                    return
                pull = self._waiting.pop(0)
                self._active.append(pull)
                pull.began = pull.moved = pull.told = self._clock.monotonic()
            self._look_again()
            self._jobs.beside(lambda pull=pull: self._run(pull))  # type: ignore[misc]

    def _run(self, pull: Pull) -> None:
        try:
            outcome: Outcome = self._fetch(pull)
        except ContainerError as exc:
            outcome = exc
        except Exception as exc:
            self._settle(pull, ContainerError("ErrImagePull", f"{type(exc).__name__}: {exc}"))
            raise
        self._settle(pull, outcome)

    def _fetch(self, pull: Pull) -> Fetched:
        """Try one login after the other; without any, as nobody. Raises ContainerError."""
        before = self._store.find(pull.image)
        had = {image.id for image in self._store.all()}
        refused: list[ContainerError] = []
        for key in pull.keys or (None,):
            try:
                found = self._store.pull(pull.image, key.login if key else None, pull.transfer)
            except ContainerError as exc:
                if exc.away:
                    raise
                refused.append(exc)
                if pull.transfer.cancelled:
                    break
                continue
            return Fetched(found, key, found.id not in had, before is not None)
        if len(refused) == 1:
            raise refused[0]
        words = dict.fromkeys(exc.message for exc in refused)
        message = next(iter(words)) if len(words) == 1 else f"[{', '.join(words)}]"
        raise ContainerError(refused[-1].reason, message)

    def _settle(self, pull: Pull, outcome: Outcome) -> None:
        with self._lock:
            if pull.outcome is not None:
                return
            self._end(pull, outcome)
        try:
            self._settled(pull)
        finally:
            self._begin()

    def _end(self, pull: Pull, outcome: Outcome) -> None:
        """With the lock held."""
        pull.outcome, pull.ended = outcome, self._clock.monotonic()
        self._wanted.pop(pull.key, None)
        for where in (self._waiting, self._active):
            if pull in where:
                where.remove(pull)
