"""NodeMetrics and PodMetrics: made when they are asked for, of what agents said last. They are in no log.

As metrics-server serves them: https://github.com/kubernetes-sigs/metrics-server
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson

from app.base.errors import not_found
from app.objects.change import Object
from app.objects.usage import GROUP, NODES, Usage
from app.registry import selection
from app.registry.listing import Listing
from app.registry.request import ListOptions
from app.schemas.kinds import Kind
from app.store.records import Record

if TYPE_CHECKING:
    from app.registry.registry import Registry


def get(registry: Registry, kind: Kind, namespace: str, name: str) -> bytes:
    """One node's or pod's metrics as JSON. Raises NotFound."""
    key = f"{namespace}/{name}" if namespace else name
    registry.view.catch_up()
    record = registry.view.record(kind.plural, key)
    if record is not None:
        obj = record.obj
        found = _made(kind, _usage(registry, kind, [record]), obj)
        if found is not None:
            return orjson.dumps(found)
    raise not_found(GROUP, kind.kind.lower(), key)


def listing(registry: Registry, kind: Kind, namespace: str, options: ListOptions) -> Listing:
    """The metrics of all that are selected. Pieces of lists are not told apart: there is one."""
    view = registry.view
    view.catch_up()
    with view.lock:
        revision = view.revision
        found = selection.candidates(view, kind.plural, namespace, options.fields)
    found = [record for record in found if selection.wanted(record, options.labels, options.fields)]
    usage = _usage(registry, kind, found)
    records = []
    for record in found:
        made = _made(kind, usage, record.obj)
        if made is not None:
            records.append(Record(record.key, 0, orjson.dumps(made), keep=True))
    return Listing(kind, records, revision)


def _made(kind: Kind, usage: Usage, obj: Object) -> Object | None:
    return usage.of_node(obj) if kind.resource == NODES else usage.of_pod(obj)


def _usage(registry: Registry, kind: Kind, records: Iterable[Record]) -> Usage:
    """What is known of where the records are."""
    if kind.resource == NODES:
        return registry.usage.of(record.key for record in records)
    return registry.usage.of(dict.fromkeys(record.node for record in records if record.node))
