"""Namespace lifecycle: a namespace that is being deleted is emptied, then let go.

What keeps it until then is `kubernetes` in its `spec.finalizers`; the update that leaves no finalizer
removes it. https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from app.objects import conditions
from app.objects.change import Change, Interest, Object, Operation, ReadView, split_key, update
from app.objects.deletion import removal
from app.objects.meta import is_deleting
from workers.controllers.interests import itself
from workers.reconcile.plan import NOTHING, Plan, Role

RESOURCE = "namespaces"
FINALIZER = "kubernetes"
# Makers before what they make, or they would make it again; Events last, since ending makes more.
FIRST = ("deployments.apps", "replicasets.apps", "services")
LAST = ("pods", "events.events.k8s.io", "events")


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Delete all that is in the namespace; when nothing is left, give up the finalizer."""
    namespace = view.get(RESOURCE, key)
    if namespace is None or not is_deleting(namespace):
        return NOTHING
    writes = []
    left: Counter[str] = Counter()
    for resource in sorted(view.resources(), key=_turn):
        for obj in view.list(resource, key):
            write = removal(resource, obj, now)
            if write is not None:
                writes.append(write)
            left[resource] += 1
    if left:
        told = _told(namespace, left, now)
        if told is not namespace:
            writes.append(update(RESOURCE, told))
        return Plan(tuple(writes), requeue_after=5.0, reason=f"{sum(left.values())} objects left")
    kept = [f for f in (namespace.get("spec") or {}).get("finalizers") or () if f != FINALIZER]
    emptied = {**namespace, "spec": {**(namespace.get("spec") or {}), "finalizers": kept}}
    if not kept:
        del emptied["spec"]["finalizers"]
    return Plan((update(RESOURCE, emptied),), reason="nothing is left in it")


def _turn(resource: str) -> tuple[int, str]:
    if resource in FIRST:
        return FIRST.index(resource), resource
    return (len(FIRST) + 1 + LAST.index(resource) if resource in LAST else len(FIRST)), resource


def _told(namespace: Object, left: Counter[str], now: float) -> Object:
    """The namespace saying that it is Terminating, and of how much is left."""
    status = {**(namespace.get("status") or {}), "phase": "Terminating"}
    if status != namespace.get("status"):
        namespace = {**namespace, "status": status}
    counts = ", ".join(
        f"{resource}. has {count} resource instances" for resource, count in sorted(left.items())
    )
    return conditions.with_condition(
        namespace,
        "NamespaceContentRemaining",
        "True",
        now,
        reason="SomeResourcesRemain",
        message=f"Some resources are remaining: {counts}",
    )


def _concerned(change: Change, view: ReadView) -> Iterable[str]:
    """What comes or goes in a namespace that is being deleted."""
    if change.operation is Operation.MODIFIED:
        return ()
    name, _ = split_key(change.key)
    namespace = view.get(RESOURCE, name) if name else None
    return (name,) if namespace is not None and is_deleting(namespace) else ()


ROLE = Role(
    "namespace-controller",
    plan,
    (
        itself(RESOURCE, lambda change: is_deleting(change.new)),
        Interest("*", _concerned),
    ),
    lambda view: view.keys(RESOURCE),
)
