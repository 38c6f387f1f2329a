"""What is particular to a kind when it is created or changed (`PrepareForCreate` and `PrepareForUpdate` of
the strategies in kubernetes/pkg/registry). What holds for all kinds is in the verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.objects import jobs
from app.objects.admitted import admitted_pod
from app.objects.change import Object
from app.objects.deletion import DEFINITIONS
from app.registry import certificate_request, service_type
from app.registry.definitions import definition_status, definition_update
from app.registry.request import Request
from app.schemas.kinds import Kind
from app.schemas.rules.resize import resized

if TYPE_CHECKING:
    from app.registry.registry import Registry

# The status of an object of which nothing is known yet. Other kinds with a status begin with {}.
FIRST_STATUS: dict[str, Object] = {
    "services": {"loadBalancer": {}},
    "namespaces": {"phase": "Active"},
    "ingresses.networking.k8s.io": {"loadBalancer": {}},
    "persistentvolumeclaims": {"phase": "Pending"},
    "persistentvolumes": {"phase": "Pending"},
    "daemonsets.apps": {
        "currentNumberScheduled": 0,
        "desiredNumberScheduled": 0,
        "numberMisscheduled": 0,
        "numberReady": 0,
    },
    "horizontalpodautoscalers.autoscaling": {"desiredReplicas": 0, "currentMetrics": []},
    "poddisruptionbudgets.policy": {
        "disruptionsAllowed": 0,
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
    },
    "replicasets.apps": {"replicas": 0},
    "replicationcontrollers": {"replicas": 0},
    "statefulsets.apps": {"availableReplicas": 0, "replicas": 0},
    "volumeattachments.storage.k8s.io": {"attached": False},
}
# An agent registers its node together with what it knows of it.
STATUS_KEPT = ("nodes",)

NAMESPACE_LABEL = "kubernetes.io/metadata.name"


def for_create(registry: Registry, kind: Kind, obj: Object, request: Request | None = None) -> Object:
    """A new object, before it has its name: its status is its first one."""
    resource = kind.resource
    if resource == "pods":
        return admitted_pod(obj, registry.settings.unreachable_toleration)
    if kind.custom is not None:
        if "status" in kind.subresources:
            obj = kind.custom.filled({k: v for k, v in obj.items() if k != "status"})
        return obj
    if "status" in kind.subresources and resource not in STATUS_KEPT:
        obj = {**obj, "status": FIRST_STATUS.get(resource, {})}
    if resource == certificate_request.RESOURCE and request is not None:
        obj = certificate_request.requested(obj, request)
    if resource == DEFINITIONS:
        obj = {**obj, "status": definition_status(obj)}
    if resource == "namespaces":
        spec = obj.get("spec") or {}
        finalizers = [*(f for f in spec.get("finalizers") or () if f != "kubernetes"), "kubernetes"]
        obj = {**obj, "spec": {**spec, "finalizers": finalizers}}
    return obj


def named(kind: Kind, obj: Object) -> Object:
    """A new object, once it has its name."""
    if kind.resource == jobs.RESOURCE:
        return jobs.with_selector(obj)
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


def for_subresource(kind: Kind, subresource: str, old: Object, new: Object, now: float) -> Object:
    """What a subresource that holds a part of the object changes: only its part."""
    prepare = _PARTS.get((kind.resource, subresource))
    return prepare(old, new, now) if prepare else for_status(old, new)


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
    certificate_request.RESOURCE: certificate_request.unchanged_spec,
    DEFINITIONS: definition_update,
    "namespaces": _namespace_update,
    "services": service_type.changed,
}


def _ephemeral(old: Object, new: Object, _: float) -> Object:
    """Ephemeral containers of a pod: nothing else changes."""
    given = (new.get("spec") or {}).get("ephemeralContainers")
    spec = {k: v for k, v in (old.get("spec") or {}).items() if k != "ephemeralContainers"}
    return {**old, "spec": {**spec, "ephemeralContainers": given} if given else spec}


# Subresources other than `status` that hold a part of the object, and statuses with rules of their own.
_PARTS: dict[tuple[str, str], Callable[[Object, Object, float], Object]] = {
    (certificate_request.RESOURCE, "approval"): certificate_request.approval,
    (certificate_request.RESOURCE, "status"): certificate_request.status,
    ("pods", "ephemeralcontainers"): _ephemeral,
    ("pods", "resize"): lambda old, new, _: resized(old, new),
}
