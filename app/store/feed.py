"""The change log as its dispatchers read it: a consumer group, so that each entry goes to one of them, and
to another if that one dies."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

from app.store.store import Store, reachable

GROUP = "dispatch"
# Entries handed out at once: few enough that a second dispatcher gets its share of a burst.
READ = 500
# A consumer that has not asked for so long is gone for good; its name is forgotten. Seconds.
FORGET_AFTER = 3600.0
# Less than the silence that is taken for a dead server. Seconds.
LONGEST_BLOCK = 3.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries handed out. `behind` says that entries were trimmed before anybody of the group read them."""

    revisions: tuple[int, ...] = ()
    behind: bool = False


class Feed:
    """One member of the group of dispatchers.

    Args:
        consumer: this member's name, which no other may have.
    """

    def __init__(self, store: Store, consumer: str, group: str = GROUP) -> None:
        self._store = store
        self._group = group
        self._consumer = consumer
        self._log = store.keys.log
        self._lock = threading.Lock()
        self._dealt_with: list[int] = []

    def join(self) -> bool:
        """Make the group, at the log's end, unless it is there. True if it was not: then nobody has
        dispatched what is in the log so far. All methods raise StoreUnavailable."""
        end = f"{self._store.revision()}-0"
        with reachable():
            try:
                self._store.redis.xgroup_create(self._log, self._group, id=end, mkstream=True)
            except ResponseError as exc:
                if "BUSYGROUP" not in str(exc):
                    raise
                self._forget_the_gone()
                return False
        return True

    def read(self, block: float) -> Batch:
        """The next entries, waiting up to `block` seconds (at most `LONGEST_BLOCK`) for the first."""
        if len(self._dealt_with) >= READ:
            self.settle()
        keys = self._store.keys
        millis = int(min(block, LONGEST_BLOCK) * 1000)
        waiting = ("BLOCK", millis) if millis > 0 else ()
        with reachable():
            groups, revision, length, reply = self._store.wire.pipeline(
                [
                    ("XINFO", "GROUPS", self._log),
                    ("GET", keys.revision),
                    ("XLEN", self._log),
                    ("XREADGROUP", "GROUP", self._group, self._consumer, "COUNT", READ, *waiting, "STREAMS", self._log, ">"),
                ]
            )  # fmt: skip
            if isinstance(groups, ResponseError) or isinstance(reply, ResponseError):
                # No log or no group: the state was taken away under us. Begin like a first start.
                return Batch((), self.join())
        entries = reply[0][1] if reply else []
        return Batch(
            tuple(_revision(entry[0]) for entry in entries), self._trimmed(groups, int(revision or 0), length)
        )

    def resume(self) -> Batch:
        """Entries that this very member was handed and has not acknowledged, because an error came between."""
        self.settle()
        with reachable():
            reply: Any = self._store.redis.xreadgroup(
                self._group, self._consumer, {self._log: "0"}, count=READ
            )
        entries = reply[0][1] if reply else []
        trimmed = [_revision(entry[0]) for entry in entries if not entry[1]]
        self.ack(trimmed)
        return Batch(tuple(_revision(entry[0]) for entry in entries if entry[1]), bool(trimmed))

    def ack(self, revisions: Sequence[int]) -> None:
        """Say that the entries are dealt with. Redis is told of many at once, by `settle`: every acknowledgement
        would make it write to the disk, and commits wait meanwhile."""
        with self._lock:
            self._dealt_with += revisions

    def settle(self) -> None:
        """Tell Redis what is dealt with. `claim_stale` does it too, so that calling that every few seconds is
        enough. Dying before costs no more than that another member deals with it again."""
        with self._lock:
            done, self._dealt_with = self._dealt_with, []
        if done:
            with reachable():
                self._store.wire.call("XACK", self._log, self._group, *(f"{revision}-0" for revision in done))

    def claim_stale(self, idle: float) -> Batch:
        """Take over entries that another member got more than `idle` seconds ago and has not acknowledged.
        Those that were trimmed meanwhile count as `behind`."""
        self.settle()
        with reachable():
            try:
                reply = self._store.redis.xautoclaim(
                    self._log, self._group, self._consumer, min_idle_time=int(idle * 1000), count=READ
                )
            except ResponseError as exc:
                if "NOGROUP" not in str(exc):
                    raise
                return Batch()  # Nobody has joined yet, so nobody left anything.
        entries = [entry for entry in reply[1] if entry[1] is not None]
        return Batch(tuple(_revision(entry[0]) for entry in entries), len(reply) > 2 and bool(reply[2]))

    def leave(self) -> None:
        """Go, if nothing handed out to this member is left to acknowledge: then its name is forgotten."""
        self.settle()
        with reachable():
            for consumer in self._store.redis.xinfo_consumers(self._log, self._group):
                if consumer["name"].decode() == self._consumer and not consumer["pending"]:
                    self._store.redis.xgroup_delconsumer(self._log, self._group, self._consumer)

    def _trimmed(self, groups: list[list[Any]], revision: int, length: int) -> bool:
        """Whether the log begins after what the group read last. Revisions have no gaps, so its length tells."""
        for flat in groups:
            group = dict(zip(flat[::2], flat[1::2], strict=True))
            if group[b"name"].decode() == self._group:
                return revision - length > _revision(group[b"last-delivered-id"])
        return False

    def _forget_the_gone(self) -> None:
        for consumer in self._store.redis.xinfo_consumers(self._log, self._group):
            if not consumer["pending"] and consumer["idle"] > FORGET_AFTER * 1000:
                self._store.redis.xgroup_delconsumer(self._log, self._group, consumer["name"])


def _revision(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])
