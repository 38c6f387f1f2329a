"""Whether the owners that an object names still exist.

An owner is known by its uid: an object of the same name made later is another. Its kind decides where
to look; a kind that nobody knows here can't be looked up, so its objects count as there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from app.objects.change import Object, ReadView, split_key
from app.objects.deletion import DEFINITIONS, FOREGROUND
from app.objects.meta import is_deleting

State = Literal["solid", "waiting", "absent"]


@dataclass(frozen=True, slots=True)
class Where:
    """Where objects of a kind are kept: their resource, and whether they live in a namespace."""

    resource: str
    namespaced: bool


# From (apiVersion, kind) to where such objects are; None for a kind not known here.
Lookup = Callable[[str, str], Where | None]


def key_of_owner(view: ReadView, reference: Object, namespace: str, lookup: Lookup) -> tuple[str, str] | None:
    """`(resource, key)` at which the owner is or was; None if its kind is not known."""
    version, kind = reference["apiVersion"], reference["kind"]
    where = lookup(version, kind) or _custom(view, version.rpartition("/")[0], kind)
    if where is None:
        return None
    name = reference["name"]
    return where.resource, f"{namespace}/{name}" if where.namespaced else name


def _custom(view: ReadView, group: str, kind: str) -> Where | None:
    """Where objects of a kind are that a CustomResourceDefinition makes."""
    for definition in view.list(DEFINITIONS) if group else ():
        spec = definition["spec"]
        if spec["group"] == group and spec["names"]["kind"] == kind:
            return Where(definition["metadata"]["name"], spec["scope"] == "Namespaced")
    return None


def state(view: ReadView, reference: Object, namespace: str, lookup: Lookup) -> State:
    """`absent` if the owner is gone, `waiting` if it is being deleted in the foreground and this
    dependent holds it up, else `solid`."""
    place = key_of_owner(view, reference, namespace, lookup)
    if place is None:
        return "solid"
    owner = view.get(*place)
    if owner is None or owner["metadata"]["uid"] != reference["uid"]:
        return "absent"
    if reference.get("blockOwnerDeletion") and is_foreground(owner):
        return "waiting"
    return "solid"


def is_foreground(obj: Object) -> bool:
    """Whether it waits for its dependents to be deleted first."""
    return is_deleting(obj) and FOREGROUND in (obj["metadata"].get("finalizers") or ())


def namespace_of(key: str) -> str:
    return split_key(key)[0]
