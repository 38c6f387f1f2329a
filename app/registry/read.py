"""Get: one object, straight from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.base.errors import not_found
from app.registry import versions
from app.schemas.kinds import Kind
from app.store.store import Stored

if TYPE_CHECKING:
    from app.registry.registry import Registry


def key(kind: Kind, namespace: str, name: str) -> str:
    """The key of an object of this kind."""
    return f"{namespace}/{name}" if kind.namespaced else name


def stored(registry: Registry, kind: Kind, namespace: str, name: str) -> Stored:
    """The object as it is now. Raises NotFound."""
    found = registry.store.get(kind.storage.resource, key(kind, namespace, name))
    if found is None:
        raise not_found(kind.group, kind.plural, name)
    return found


def get(registry: Registry, kind: Kind, namespace: str, name: str) -> bytes:
    """The JSON of one object, in the version asked for. Raises NotFound."""
    return versions.shown(kind, stored(registry, kind, namespace, name).body)
