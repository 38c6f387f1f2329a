"""CustomResourceDefinitions: their names are accepted, their objects served, and deleted with them.

Two definitions of a group may not claim one name; who had it first keeps it. A definition that is deleted waits for
its objects. https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import conditions
from app.objects.change import Change, Interest, Object, Operation, ReadView, update
from app.objects.deletion import CLEANUP, DEFINITIONS, removal
from app.objects.meta import is_deleting, with_meta
from app.schemas.custom.naming import accepted
from workers.controllers.interests import itself
from workers.reconcile.plan import NOTHING, Plan, Role

# So many objects of a definition that goes are deleted in one plan.
AT_ONCE = 500


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Accept a definition's names, or empty it if it is being deleted."""
    definition = view.get(DEFINITIONS, key)
    if definition is None:
        return NOTHING
    if is_deleting(definition):
        return _emptied(view, definition, now)
    group = definition["spec"]["group"]
    others = [
        each for each in view.list(DEFINITIONS)
        if each["spec"]["group"] == group and each["metadata"]["name"] != key
    ]  # fmt: skip
    told = accepted(definition, others, now)
    if told is definition:
        return NOTHING
    return Plan((update(DEFINITIONS, told),), reason="its names were looked at")


def _emptied(view: ReadView, definition: Object, now: float) -> Plan:
    name = definition["metadata"]["name"]
    if CLEANUP not in (definition["metadata"].get("finalizers") or ()):
        return NOTHING
    left = view.list(name)
    if left:
        writes = [write for obj in left[:AT_ONCE] if (write := removal(name, obj, now)) is not None]
        told = conditions.with_condition(
            definition, "Terminating", "True", now,
            reason="InstanceDeletionInProgress",
            message=f"CustomResource deletion is in progress; {len(left)} objects remain",
        ) if not conditions.is_true(definition, "Terminating") else definition  # fmt: skip
        if told is not definition:
            writes.append(update(DEFINITIONS, told))
        return Plan(tuple(writes), requeue_after=5.0, reason=f"{len(left)} objects left")
    kept = [each for each in definition["metadata"]["finalizers"] if each != CLEANUP]
    gone = with_meta(definition, finalizers=kept or None)
    return Plan((update(DEFINITIONS, gone),), reason="none of its objects is left")


def _siblings(change: Change, view: ReadView) -> Iterable[str]:
    """A name that is given up is there for the other definitions of the group."""
    if change.operation is Operation.ADDED:
        return ()
    group = change.new["spec"]["group"]
    return [
        each["metadata"]["name"]
        for each in view.list(DEFINITIONS)
        if each["spec"]["group"] == group
        and each["metadata"]["name"] != change.key
        and not conditions.is_true(each, "NamesAccepted")
    ]


def _emptying(change: Change, view: ReadView) -> Iterable[str]:
    """The last objects of a definition that is being deleted: it is called as its resource is."""
    if change.operation is not Operation.DELETED or "." not in change.resource:
        return ()
    definition = view.get(DEFINITIONS, change.resource)
    return (change.resource,) if definition is not None and is_deleting(definition) else ()


ROLE = Role(
    "crd-controller",
    plan,
    (itself(DEFINITIONS), Interest(DEFINITIONS, _siblings), Interest("*", _emptying)),
    lambda view: view.keys(DEFINITIONS),
)
