"""The indexes of a view: by key, namespace, owner and node."""

from __future__ import annotations

from app.store.records import Record

UNBOUND = ""


class Table:
    """The records of one resource."""

    def __init__(self, by_node: bool) -> None:
        self.records: dict[str, Record] = {}
        self.namespaces: dict[str, dict[str, Record]] = {}
        self.owners: dict[str, dict[str, Record]] = {}
        self.nodes: dict[str, dict[str, Record]] | None = {} if by_node else None
        self._sorted: dict[str | None, list[str]] = {}
        # Counts changes, so that who keeps something made of the records sees that it is outdated.
        self.version = 0

    def put(self, record: Record) -> Record | None:
        """Add or replace; returns what was there."""
        self.version += 1
        old = self.records.get(record.key)
        if old is not None:
            self._unlink(old)
        else:
            self._forget_order(record.key)
        self.records[record.key] = record
        self.namespaces.setdefault(_namespace(record.key), {})[record.key] = record
        for uid in record.owners:
            self.owners.setdefault(uid, {})[record.key] = record
        if self.nodes is not None:
            self.nodes.setdefault(record.node, {})[record.key] = record
        return old

    def pop(self, key: str) -> Record | None:
        """Remove; returns what was there."""
        self.version += 1
        old = self.records.pop(key, None)
        if old is not None:
            self._unlink(old)
            _discard(self.namespaces, _namespace(key), key)
            self._forget_order(key)
        return old

    def ordered(self, namespace: str | None) -> list[str]:
        """The keys, all or of one namespace, in order."""
        known = self._sorted.get(namespace)
        if known is None:
            known = sorted(self.records if namespace is None else self.namespaces.get(namespace, ()))
            self._sorted[namespace] = known
        return known

    def _unlink(self, record: Record) -> None:
        for uid in record.owners:
            _discard(self.owners, uid, record.key)
        if self.nodes is not None:
            _discard(self.nodes, record.node, record.key)

    def _forget_order(self, key: str) -> None:
        self._sorted.pop(None, None)
        self._sorted.pop(_namespace(key), None)


def _namespace(key: str) -> str:
    return key.rpartition("/")[0]


def _discard(index: dict[str, dict[str, Record]], at: str, key: str) -> None:
    entries = index.get(at)
    if entries is not None:
        entries.pop(key, None)
        if not entries:
            del index[at]
