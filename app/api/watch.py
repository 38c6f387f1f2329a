"""Watches: the stream of changes that a list with `?watch=true` becomes.

One JSON document a line, sent as a chunked body. How a watch begins, and what it does when it can't go on:
https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes and
https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists
"""

from __future__ import annotations

from collections.abc import Iterator

from app.api.connection import Connection
from app.api.selection import Selection
from app.api.tail import Happening, Tail, Watcher, transition
from app.api.watch_events import Lines, error, refusal
from app.api.watch_options import Options
from app.base.clock import Clock
from app.base.errors import ApiError, LogTrimmed
from app.registry.listing import too_large
from app.store.records import LoggedChange, Record

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
# How often a watch that allows them gets a bookmark, and how long before its end the last one. Seconds.
BOOKMARK = 60.0
LAST_BOOKMARK = 2.0
# How long a revision that does not exist yet is waited for. Seconds.
FUTURE = 3.0
# Events are sent together up to about this many bytes.
BATCH = 64 * 1024


class Watch:
    """The body of one watch. Iterating it sends events until the time is over; `close` frees it."""

    def __init__(
        self,
        tail: Tail,
        clock: Clock,
        selection: Selection,
        options: Options,
        lines: Lines,
        connection: Connection,
    ) -> None:
        """Fixes where the watch begins.

        Raises:
            Timeout: it would begin at a revision that does not exist.
            StoreUnavailable: Redis does not answer.
        """
        self._tail = tail
        self._clock = clock
        self._options = options
        self._lines = lines
        self._connection = connection
        self._records: list[Record] = []
        self._past: list[LoggedChange] = []
        self._expired = ""
        view = tail.view
        view.catch_up()
        if options.least > view.revision:
            await_revision(tail, clock, options.least)
        with view.lock:
            self._start = view.revision
            if options.initial:
                self._records = selection.records(view)
            since = options.since if options.since is not None else view.revision
            self._watcher = Watcher(
                selection.resource, view.revision, selection.wants, lines.of, connection.abort, lines.late
            )
            try:
                self._past = [c for c in view.changes_since(since) if c.resource == selection.resource]  # type: ignore[misc]
            except LogTrimmed:
                self._expired = f"too old resource version: {since} ({view.oldest})"
            tail.join(self._watcher)
        connection.on_hangup(self._watcher.cut)
        self._wants = selection.wants

    def __iter__(self) -> Iterator[bytes]:
        # An empty piece makes the server send the headers: clients wait for them before any event.
        yield b""
        if self._expired:
            yield error(self._expired)
            return
        try:
            yield from self._beginning()
            yield from self._following()
        except ApiError as exc:
            # Objects that can't be shown in the version asked for.
            yield refusal(exc)

    def close(self) -> None:
        """The watch is over, however it ended."""
        self._tail.leave(self._watcher)
        self._connection.release()

    def _beginning(self) -> Iterator[bytes]:
        yield from _batched(self._lines.added(self._records))
        self._records = []
        yield from _batched(self._missed())
        self._past = []
        if self._options.announce:
            yield self._lines.bookmark(self._start, {INITIAL_EVENTS_END: "true"})

    def _missed(self) -> Iterator[bytes]:
        for change in self._past:
            operation = transition(change, self._wants)
            if operation is not None:
                yield self._lines.of(Happening(change), operation)

    def _following(self) -> Iterator[bytes]:
        begun = self._clock.monotonic()
        end = begun + self._options.seconds
        bookmarks = self._options.bookmarks
        due = min(begun + BOOKMARK, max(end - LAST_BOOKMARK, begun)) if bookmarks else end
        while True:
            reached = self._tail.sent
            events = self._watcher.take(max(0.0, min(due, end) - self._clock.monotonic()))
            if events:
                yield b"".join(events)
            if self._watcher.lost:
                yield error("too old resource version: changes were lost, list again")
                return
            if self._watcher.cut_off:
                return
            now = self._clock.monotonic()
            if now >= end:
                return
            if bookmarks and now >= due and not events:
                # Nothing came since, so whatever happened up to there has been sent.
                yield self._lines.bookmark(max(reached, self._start))
                last = end - LAST_BOOKMARK
                due = min(now + BOOKMARK, last) if now < last else end


def await_revision(tail: Tail, clock: Clock, revision: int) -> None:
    """Wait until the log has reached `revision`.

    Raises:
        Timeout: it does not get there soon (storage.NewTooLargeResourceVersionError).
    """
    view = tail.view
    if view.revision < revision:
        view.catch_up()
    end = clock.monotonic() + FUTURE
    while view.revision < revision:
        left = end - clock.monotonic()
        if left <= 0:
            raise too_large(revision, view.revision)
        view.wait(left)
        view.catch_up()


def _batched(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines, joined to pieces of about `BATCH` bytes."""
    pending: list[bytes] = []
    size = 0
    for line in lines:
        pending.append(line)
        size += len(line)
        if size >= BATCH:
            yield b"".join(pending)
            pending, size = [], 0
    if pending:
        yield b"".join(pending)
