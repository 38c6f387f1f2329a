"""May this be created here? Today: is its namespace there, and not on its way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from app.base.errors import Cause, Forbidden, not_found, qualified
from app.schemas.kinds import Kind

if TYPE_CHECKING:
    from app.registry.registry import Registry


def check_namespace(registry: Registry, kind: Kind, namespace: str, name: str) -> None:
    """Let an object in only where its namespace exists and is not Terminating.

    Asked of the store, not of the view: a view that nobody reads may be old, and what is created in a
    namespace after its content was removed would stay behind.

    Raises:
        NotFound: there is no such namespace. Forbidden: it is being deleted.
    """
    stored = registry.store.get("namespaces", namespace)
    if stored is None:
        raise not_found("", "namespaces", namespace)
    if b'"deletionTimestamp"' not in stored.body:
        return
    if not orjson.loads(stored.body)["metadata"].get("deletionTimestamp"):
        return  # the word stood elsewhere, in an annotation
    raise Forbidden(
        f'{qualified(kind.plural, kind.group)} "{name}" is forbidden: unable to create new content in '
        f"namespace {namespace} because it is being terminated",
        group=kind.group,
        resource=kind.plural,
        name=name,
        causes=[
            Cause("metadata.namespace", "NamespaceTerminating", f"namespace {namespace} is being terminated")
        ],
    )
