"""What is particular to a kind when it is created or changed (`PrepareForCreate` and `PrepareForUpdate` of
the strategies in kubernetes/pkg/registry). What holds for all kinds is in the verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.objects.admitted import admitted_pod
from app.objects.change import Object
from app.registry import addresses
from app.schemas.kinds import Kind

if TYPE_CHECKING:
    from app.registry.registry import Registry

# The status of an object of which nothing is known yet. Other kinds with a status begin with {}.
FIRST_STATUS: dict[str, Object] = {
    "services": {"loadBalancer": {}},
    "namespaces": {"phase": "Active"},
    "replicasets.apps": {"replicas": 0},
}
# An agent registers its node together with what it knows of it.
STATUS_KEPT = ("nodes",)

NAMESPACE_LABEL = "kubernetes.io/metadata.name"


def for_create(registry: Registry, kind: Kind, obj: Object) -> Object:
    """A new object, before it has its name: its status is its first one."""
    resource = kind.resource
    if resource == "pods":
        return admitted_pod(obj, registry.settings.unreachable_toleration)
    if "status" in kind.subresources and resource not in STATUS_KEPT:
        obj = {**obj, "status": FIRST_STATUS.get(resource, {})}
    if resource == "namespaces":
        spec = obj.get("spec") or {}
        finalizers = [*(f for f in spec.get("finalizers") or () if f != "kubernetes"), "kubernetes"]
        obj = {**obj, "spec": {**spec, "finalizers": finalizers}}
    return obj


def named(kind: Kind, obj: Object) -> Object:
    """A new object, once it has its name."""
    if kind.resource != "namespaces":
        return obj
    meta = obj["metadata"]
    labels = {**(meta.get("labels") or {}), NAMESPACE_LABEL: meta["name"]}
    return {**obj, "metadata": {**meta, "labels": labels}}


def for_update(kind: Kind, old: Object, new: Object) -> Object:
    """A changed object: its status stays, and so does what only the API gives out."""
    if "status" in kind.subresources:
        new = {k: v for k, v in new.items() if k != "status"}
        if "status" in old:
            new["status"] = old["status"]
    prepare = _UPDATES.get(kind.resource)
    return prepare(old, new) if prepare else new


def for_status(old: Object, new: Object) -> Object:
    """A changed status: the rest stays."""
    kept = {k: v for k, v in old.items() if k != "status"}
    if "status" in new:
        kept["status"] = new["status"]
    return kept


def _namespace_update(old: Object, new: Object) -> Object:
    """`spec.finalizers` change by the `finalize` subresource only."""
    result = {k: v for k, v in new.items() if k != "spec"}
    if "spec" in old:
        result["spec"] = old["spec"]
    return result


_UPDATES: dict[str, Callable[[Object, Object], Object]] = {
    "namespaces": _namespace_update,
    "services": addresses.carried_over,
}
