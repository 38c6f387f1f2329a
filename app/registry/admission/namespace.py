"""NamespaceLifecycle: is its namespace there, and not on its way out? And what a new namespace begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from app.base.errors import Cause, Forbidden, not_found, qualified
from app.objects.change import Object, Write, create
from app.objects.meta import complete
from app.schemas.kinds import Kind

if TYPE_CHECKING:
    from app.registry.registry import Registry


def beside(kind: Kind, obj: Object, registry: Registry) -> list[Write]:
    """What is committed together with a new object: a namespace's default account, so that its first pod need not
    wait for a controller. (In Kubernetes it does.)"""
    if kind.resource != "namespaces":
        return []
    name = obj["metadata"]["name"]
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": name},
    }
    whole = complete(account, registry.clock.now(), registry.ids)
    return [create("serviceaccounts", whole, within=name)]


def check_namespace(registry: Registry, kind: Kind, obj: Object) -> None:
    """Say why an object may not be created in its namespace, if so: only where that exists and is not
    Terminating. It is the commit that holds to this (`Write.within`), so that nothing can come into a
    namespace after its content was removed.

    Raises:
        NotFound: there is no such namespace. Forbidden: it is being deleted.
    """
    if not kind.namespaced:
        return
    given = obj["metadata"]
    namespace = given["namespace"]
    name = given.get("name") or given.get("generateName") or ""
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
