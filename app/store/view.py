"""The view: a process's copy of the cluster at one revision, folded from the log."""

from __future__ import annotations

import logging
import threading
from collections import deque
from itertools import islice
from typing import Any

from app.base.errors import LogTrimmed
from app.objects.change import Change, Keys, Object, Objects, Operation
from app.store.connection import LONGEST_BLOCK
from app.store.records import Entry, Record, as_change, parse_entry
from app.store.store import Store, parse_stored, reachable
from app.store.tables import UNBOUND, Table

log = logging.getLogger("beanpole.view")

# `View.list` hides the type of that name from the annotations after it.
Records = list[Record]
Pairs = list[tuple[str, str]]
# Entries asked for in one round trip while catching up.
READ = 2000


class View:
    """All objects, as of `revision`; it changes only in `catch_up`.

    Hold `lock` while something must see one revision all along: a plan, a list.

    Args:
        history: how many of the last changes stay readable by `changes_since`.
        keep: keep objects decoded. For who reads them again and again (plans); who hands their bytes through
            (the API) saves the memory.
    """

    def __init__(self, store: Store, *, history: int = 10_000, keep: bool = True) -> None:
        self._store = store
        # redis-py's own annotations cover answers in text and asynchronous ones too.
        self._redis: Any = store.redis
        self._keep = keep
        self._tables: dict[str, Table] = {}
        self._history: deque[Change] = deque(maxlen=history)
        self._last: Entry | None = None
        # How many reads of the log were begun, and the last of them that came to its end.
        self._begun = 0
        self._done = 0
        self._loaded = False
        self.lock = threading.RLock()
        self.revision = 0
        self.epoch = 0
        self.reloads = 0

    # -- following the log ---------------------------------------------------------------------------

    def catch_up(self) -> list[Change]:
        """Fold in what was committed up to now; one round trip.

        Returns the changes that this very call folded in. Callers in other threads may have folded
        others: who needs every change asks `changes_since`. If the log was trimmed past us or revisions
        were lost, everything is loaded anew: no changes are returned, `reloads` counts up, and where
        revisions were lost `epoch` does.

        Raises:
            StoreUnavailable: Redis does not answer; the view stays at its revision.
        """
        asked = self._begun
        with self.lock:
            if self._done > asked:
                return []  # a read that began after we asked is done: we are caught up
            if not self._loaded:
                self._load()
                return []
            found: list[Change] = []
            while True:
                self._begun += 1
                epoch, entries = self._read()
                if epoch != self.epoch or not self._continues(entries):
                    self._recover(epoch)
                    return []
                found += [self._fold(entry) for entry in entries[1 if self._last else 0 :]]
                if len(entries) < READ:
                    self._done = self._begun
                    return found

    def wait(self, timeout: float) -> bool:
        """Block until the log has more than this view, or `timeout` seconds (at most 10) passed. Says which."""
        with reachable():
            reply = self._redis.xread(
                {self._store.keys.log: f"{self.revision}-0"},
                count=1,
                block=max(1, int(min(timeout, LONGEST_BLOCK) * 1000)),
            )
        return bool(reply)

    def changes_since(self, revision: int) -> list[Change]:
        """The changes after `revision`, oldest first.

        Raises:
            LogTrimmed: they are no longer all kept.
        """
        with self.lock:
            missing = self.revision - revision
            if missing <= 0:
                return []
            if missing > len(self._history):
                raise LogTrimmed(f"changes since revision {revision} are no longer kept")
            return list(islice(self._history, len(self._history) - missing, None))

    @property
    def oldest(self) -> int:
        """The oldest revision that `changes_since` accepts."""
        return self.revision - len(self._history)

    def _read(self) -> tuple[int, list[Entry]]:
        keys = self._store.keys
        start = f"{self._last.revision}-0" if self._last else f"({self.revision}-0"
        with reachable():
            epoch, raw = self._store.wire.together(
                ("GET", keys.epoch), ("XRANGE", keys.log, start, "+", "COUNT", READ)
            )
        return int(epoch or 0), [
            parse_entry((identity, dict(zip(fields[::2], fields[1::2], strict=True))))
            for identity, fields in raw
        ]

    def _continues(self, entries: list[Entry]) -> bool:
        """Whether the log, read from our last entry on, carries on from there.

        It doesn't if that entry was trimmed, or is another one: then a failover lost it. Revisions have
        no gaps, so that a missing one shows too.
        """
        if self._last is not None:
            return bool(entries) and entries[0] == self._last
        return not entries or entries[0].revision == self.revision + 1

    def _recover(self, epoch: int) -> None:
        """Load anew, in a new epoch if revisions were lost and nobody has said so yet."""
        if epoch == self.epoch and self._lost():
            log.warning("revisions up to %d were lost: a new epoch begins", self.revision)
            self._store.begin_epoch(self.epoch)
        self._load()

    def _lost(self) -> bool:
        """Whether the log went backwards, rather than away under us by trimming."""
        if self._last is None:
            return self._store.revision() < self.revision
        with reachable():
            at = f"{self._last.revision}-0"
            same = self._redis.xrange(self._store.keys.log, min=at, max=at)
            oldest = self._redis.xrange(self._store.keys.log, count=1)
        if same:
            return parse_entry(same[0]) != self._last
        trimmed = bool(oldest) and parse_entry(oldest[0]).revision > self._last.revision
        return not trimmed

    def _load(self) -> None:
        keys = self._store.keys
        self._begun += 1
        revision: int
        epoch: int
        flat: list[Any]
        with reachable():
            revision, epoch, flat = self._store.snapshot_script(
                [keys.revision, keys.epoch, keys.resources], [keys.objects("")]
            )
            tail = self._redis.xrevrange(
                keys.log, max=f"{revision}-0" if revision else "+", count=self._history.maxlen or 1
            )
        self._tables = {}
        for resource, pairs in zip(flat[::2], flat[1::2], strict=True):
            table = self._table(resource.decode())
            for key, value in sorted(zip(pairs[::2], pairs[1::2], strict=True)):
                stored = parse_stored(value)
                assert stored is not None
                table.put(Record(key.decode(), stored.revision, stored.body, self._keep))
        entries = [parse_entry(item) for item in reversed(tail)] if revision else []
        self._history.clear()
        self._history.extend(_past(entries))
        self._last = entries[-1] if entries and entries[-1].revision == revision else None
        if self._loaded:
            self.reloads += 1
        self.revision, self.epoch, self._loaded = int(revision), int(epoch), True
        self._done = self._begun

    def _fold(self, entry: Entry) -> Change:
        table = self._table(entry.resource)
        record = Record(entry.key, entry.revision, entry.body, self._keep)
        if entry.operation is Operation.DELETED:
            before = table.pop(entry.key)
        else:
            before = table.put(record)
        change = as_change(entry, before, record)
        self._history.append(change)
        self._last = entry
        self.revision = entry.revision
        return change

    def _table(self, resource: str) -> Table:
        table = self._tables.get(resource)
        if table is None:
            table = self._tables[resource] = Table(by_node=resource == "pods")
        return table

    # -- reading -------------------------------------------------------------------------------------

    def record(self, resource: str, key: str) -> Record | None:
        table = self._tables.get(resource)
        return table.records.get(key) if table else None

    def records(self, resource: str, namespace: str | None = None) -> Records:
        """The records of a resource, or of one namespace of it, in the order of their keys."""
        table = self._tables.get(resource)
        if table is None:
            return []
        return [table.records[key] for key in table.ordered(namespace)]

    def get(self, resource: str, key: str) -> Object | None:
        record = self.record(resource, key)
        return record.obj if record else None

    def list(self, resource: str, namespace: str | None = None) -> Objects:
        return [record.obj for record in self.records(resource, namespace)]

    def keys(self, resource: str, namespace: str | None = None) -> Keys:
        table = self._tables.get(resource)
        return [] if table is None else table.ordered(namespace)[:]

    def owned(self, resource: str, uid: str) -> Objects:
        table = self._tables.get(resource)
        return [record.obj for record in table.owners.get(uid, {}).values()] if table else []

    def dependents(self, uid: str) -> Pairs:
        return [
            (resource, key) for resource, table in self._tables.items() for key in table.owners.get(uid, ())
        ]

    def on_node(self, node: str) -> Objects:
        table = self._tables.get("pods")
        if table is None or table.nodes is None:
            return []
        return [record.obj for record in table.nodes.get(node or UNBOUND, {}).values()]

    def any_on(self, node: str) -> bool:
        table = self._tables.get("pods")
        return table is not None and bool((table.nodes or {}).get(node or UNBOUND))

    def records_on(self, node: str) -> Records:
        """The records of `on_node`."""
        table = self._tables.get("pods")
        return (
            list(table.nodes.get(node or UNBOUND, {}).values()) if table and table.nodes is not None else []
        )

    def version(self, resource: str) -> tuple[int, int]:
        """Another one whenever an object of the resource changed: for who keeps something made of all of them."""
        table = self._tables.get(resource)
        return self.reloads, table.version if table else 0

    def resources(self) -> Keys:
        return sorted(resource for resource, table in self._tables.items() if table.records)


def _past(entries: list[Entry]) -> list[Change]:
    """Changes from before a view was loaded. What was there before an object's first entry among them is no
    longer known, and stays None."""
    last: dict[tuple[str, str], Record] = {}
    changes = []
    for entry in entries:
        record = Record(entry.key, entry.revision, entry.body, keep=False)
        changes.append(as_change(entry, last.get((entry.resource, entry.key)), record))
        last[entry.resource, entry.key] = record
    return changes
