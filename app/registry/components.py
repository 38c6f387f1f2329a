"""ComponentStatuses: made up when they are asked for, of what the parts of the control plane answer.

Kubernetes lists etcd, its scheduler and its controllers here. The state store is the part that everything else hangs
on; workers are all alike and any of them may be missing, so none is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from app.base.errors import StoreUnavailable, not_found
from app.objects.change import Object
from app.registry.listing import Listing
from app.registry.request import ListOptions
from app.schemas import kinds
from app.store.records import Record

if TYPE_CHECKING:
    from app.registry.registry import Registry

KIND = kinds.by_resource("componentstatuses")
STORE = "store"


def get(registry: Registry, name: str) -> bytes:
    """One part's status as JSON. Raises NotFound."""
    if name != STORE:
        raise not_found(KIND.group, KIND.plural, name)
    return orjson.dumps(_store(registry))


def listing(registry: Registry, options: ListOptions) -> Listing:
    """The statuses of all parts, as far as they are selected."""
    found = [Record(STORE, 0, orjson.dumps(_store(registry)), keep=True)]
    chosen = [r for r in found if options.labels.matches(r.labels) and options.fields.matches(r.obj)]
    return Listing(KIND, chosen, registry.view.revision)


def _store(registry: Registry) -> Object:
    try:
        registry.store.revision()
        condition = {"type": "Healthy", "status": "True", "message": "ok"}
    except StoreUnavailable as exc:
        condition = {"type": "Healthy", "status": "False", "message": str(exc)}
    return {
        "apiVersion": KIND.api_version,
        "kind": KIND.kind,
        "metadata": {"name": STORE},
        "conditions": [condition],
    }
