"""The tail: one thread that follows the change log and hands its changes to every open watch.

A change is filtered once per watcher and encoded once for all of them: the bytes that lie in the log are
spliced into the event.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from app.base.clock import Clock
from app.base.errors import LogTrimmed, StoreUnavailable
from app.objects.change import Change, Operation
from app.objects.deletion import DEFINITIONS
from app.store.records import LoggedChange, Record
from app.store.view import View

log = logging.getLogger("beanpole.watch")

# How long one wait for the log lasts (less than Redis's client waits for an answer), and how often the log is
# read while nobody watches. Seconds.
WAIT = 2.0
IDLE = 2.0
# How long to leave Redis alone after it did not answer. Seconds.
PAUSE = 0.5
# A client that leaves more than this unread is cut off.
MAX_EVENTS = 20_000
MAX_BYTES = 64 * 1024 * 1024


class Happening:
    """One change on its way to watchers, with the bytes they share: encoded when the first asks."""

    __slots__ = ("change", "lines")

    def __init__(self, change: LoggedChange) -> None:
        self.change = change
        self.lines: dict[object, bytes] = {}


class Wants(Protocol):
    """Which records a watch is about."""

    def __call__(self, record: Record) -> bool: ...


class Watcher:
    """One open watch: what it has not read yet.

    Args:
        since: the revision from which on changes belong to it.
        wants: which objects it is about. line: an event's bytes for `(happening, operation)`.
        abort: ends its connection; for a client that does not read what it asked for.
        late: encode events only when they are taken: for those that somebody else must be asked about.
    """

    def __init__(
        self,
        resource: str,
        since: int,
        wants: Wants,
        line: Callable[[Happening, Operation], bytes],
        abort: Callable[[], None],
        late: bool = False,
    ) -> None:
        self._late = late
        self.resource = resource
        self.since = since
        self.lost = False
        self.cut_off = False
        self._wants = wants
        self._line = line
        self._abort = abort
        self._lines: deque[bytes | tuple[Happening, Operation]] = deque()
        self._size = 0
        self._ready = threading.Event()

    def offer(self, happening: Happening) -> None:
        """Take an event if it concerns this watch. An object that begins to match counts as ADDED, one that
        ceases to as DELETED (k8s.io/apiserver/pkg/storage/cacher/watch_cache.go)."""
        change = happening.change
        if change.revision <= self.since or self.cut_off:
            return
        operation = transition(change, self._wants)
        if operation is None:
            return
        if self._late:
            self._lines.append((happening, operation))
            self._size += len(change.after.body)
        else:
            line = self._line(happening, operation)
            self._lines.append(line)
            self._size += len(line)
        if len(self._lines) > MAX_EVENTS or self._size > MAX_BYTES:
            log.info("a watch of %s is cut off: its client does not keep up", self.resource)
            self.cut()
            self._lines.clear()
            self._abort()
        self._ready.set()

    def take(self, timeout: float) -> list[bytes]:
        """What came in, waiting up to `timeout` seconds for the first. Raises ApiError if it can't be encoded."""
        if not self._lines and not self.over:
            self._ready.wait(timeout)
        self._ready.clear()
        taken = []
        while self._lines:
            line = self._lines.popleft()
            taken.append(line if isinstance(line, bytes) else self._line(*line))
        self._size = 0
        return taken

    @property
    def over(self) -> bool:
        """Nothing more will come: the watch must end."""
        return self.lost or self.cut_off

    def lose(self) -> None:
        """Changes are missing from here on: the client must list again."""
        self.lost = True
        self._ready.set()

    def cut(self) -> None:
        """End the watch; the client may take it up again where it was."""
        self.cut_off = True
        self._ready.set()


def transition(change: LoggedChange, wants: Wants) -> Operation | None:
    """What a change is to who wants only some objects; None if nothing."""
    if change.operation is Operation.DELETED:
        matched = wants(change.before or change.after)
        return Operation.DELETED if matched else None
    before = change.before is not None and wants(change.before)
    after = wants(change.after)
    if after:
        # What was there before a view was loaded is not known: then the log's own word counts.
        known = change.before is not None or change.operation is Operation.ADDED
        return Operation.ADDED if known and not before else Operation.MODIFIED
    return Operation.DELETED if before else None


class Tail:
    """Follows `view` in a thread of its own and feeds the watchers."""

    def __init__(self, view: View, clock: Clock) -> None:
        self.view = view
        self._clock = clock
        self._watchers: dict[str, set[Watcher]] = {}
        self._wake = threading.Event()
        self._stopped = False
        self._loaded = (view.epoch, view.reloads)
        self.sent = view.revision

    def start(self) -> None:
        threading.Thread(target=self._run, name="tail", daemon=True).start()

    def stop(self) -> None:
        """End the thread and every watch."""
        self._stopped = True
        self._wake.set()
        for watchers in list(self._watchers.values()):
            for watcher in list(watchers):
                watcher.cut()

    def join(self, watcher: Watcher) -> None:
        """Feed this watcher from now on. Hold `view.lock` from reading the state it starts with."""
        self._watchers.setdefault(watcher.resource, set()).add(watcher)
        if self._stopped:
            watcher.cut()
        self._wake.set()

    def leave(self, watcher: Watcher) -> None:
        watchers = self._watchers.get(watcher.resource)
        if watchers is not None:
            watchers.discard(watcher)
            if not watchers:
                del self._watchers[watcher.resource]

    @property
    def watchers(self) -> int:
        """How many watches are open."""
        return sum(len(each) for each in list(self._watchers.values()))

    def _run(self) -> None:
        while not self._stopped:
            try:
                if not self._watchers:
                    self._wake.wait(IDLE)
                    self._wake.clear()
                elif self.view.revision == self.sent:
                    self.view.wait(WAIT)
                self.view.catch_up()
                self.dispatch()
            except StoreUnavailable as exc:
                log.warning("watches wait: %s", exc)
                self._clock.sleep(PAUSE)
            except Exception:
                log.exception("watches wait after an unexpected error")
                self._clock.sleep(PAUSE)

    def _redefined(self, change: Change) -> None:
        """Watches of a kind whose definition went or changed end: they know it as it was."""
        old, new = change.old, change.new
        if change.operation is Operation.DELETED or (old and old.get("spec") != new.get("spec")):
            for watcher in list(self._watchers.get(change.key, ())):
                watcher.cut()

    def dispatch(self) -> None:
        """Hand out what the view has learnt since the last time."""
        with self.view.lock:
            loaded = (self.view.epoch, self.view.reloads)
            try:
                changes = self.view.changes_since(self.sent) if loaded == self._loaded else None
            except LogTrimmed:
                changes = None
            self._loaded = loaded
            self.sent = self.view.revision
            if changes is None:
                for watchers in list(self._watchers.values()):
                    for watcher in list(watchers):
                        watcher.lose()
                return
            for change in changes:
                if change.resource == DEFINITIONS:
                    self._redefined(change)
                watching = self._watchers.get(change.resource)
                if watching:
                    happening = Happening(cast(LoggedChange, change))
                    for watcher in list(watching):
                        watcher.offer(happening)
