"""Which nodes are there: Ready by their own word, and with a current Lease."""

from __future__ import annotations

from app.bus.nudges import is_ready
from app.registry.node_report import LEASE_NAMESPACE, LEASES, renewed_at
from app.store.records import Record
from app.store.view import View


class Presence:
    """Remembers what each node's records said, so that asking about all nodes decodes only what changed."""

    def __init__(self) -> None:
        self._ready: dict[str, tuple[int, bool]] = {}
        self._renewed: dict[str, tuple[int, float]] = {}

    def nodes(self, view: View, alive_since: float) -> list[str]:
        """The names of the nodes that are Ready and renewed their Lease after `alive_since` (seconds since
        the epoch). Hold `view.lock`."""
        found = []
        records = view.records("nodes")
        for record in records:
            name = record.key
            lease = view.record(LEASES, f"{LEASE_NAMESPACE}/{name}")
            if lease is not None and self._is_ready(record) and self._renewal(name, lease) >= alive_since:
                found.append(name)
        if len(self._ready) > 2 * len(records) + 100:
            self._ready.clear()
            self._renewed.clear()
        return found

    def _is_ready(self, node: Record) -> bool:
        known = self._ready.get(node.key)
        if known is None or known[0] != node.revision:
            known = self._ready[node.key] = (node.revision, is_ready(node.obj))
        return known[1]

    def _renewal(self, name: str, lease: Record) -> float:
        known = self._renewed.get(name)
        if known is None or known[0] != lease.revision:
            known = self._renewed[name] = (lease.revision, renewed_at(lease.obj))
        return known[1]
