"""Where in an object something can be changed: every field that its schema knows."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from app.schemas import fields
from app.schemas.conversion_autoscaler import ANNOTATIONS
from app.schemas.kind import Kind

Place = tuple[str | int, ...]
# Deeper fields repeat shallower ones (a template is a pod), and schemas may contain themselves.
DEEPEST = 11
META: tuple[Place, ...] = tuple(
    ("metadata", *rest)
    for rest in (
        (), ("name",), ("namespace",), ("generateName",), ("labels",), ("annotations",), ("labels", "app"), ("finalizers",),
        ("ownerReferences",), ("ownerReferences", 0, "uid"), ("resourceVersion",), ("uid",), ("creationTimestamp",),
        ("deletionTimestamp",), ("deletionGracePeriodSeconds",), ("generation",), ("managedFields",), ("managedFields", 0, "fieldsV1"),
        ("managedFields", 0, "manager"), ("managedFields", 0, "apiVersion"), ("selfLink",),
        ("annotations", "kubectl.kubernetes.io/last-applied-configuration"),
    )
)  # fmt: skip
TYPE: tuple[Place, ...] = (("apiVersion",), ("kind",))
_CRONTAB: tuple[Place, ...] = (
    ("spec",), ("spec", "cronSpec"), ("spec", "image"), ("spec", "replicas"), ("spec", "most"), ("spec", "mode"), ("spec", "note"),
    ("spec", "port"), ("spec", "fixed"), ("spec", "any"), ("spec", "any", "a"), ("spec", "sizes"), ("spec", "sizes", "s"),
    ("spec", "parts"), ("spec", "parts", 0), ("spec", "parts", 0, "name"), ("spec", "parts", 0, "weight"), ("spec", "unknown"),
    ("status",), ("status", "replicas"), ("status", "selector"),
)  # fmt: skip


@cache
def places(kind: Kind) -> tuple[Place, ...]:
    """All places in objects of a kind; those of its metadata last."""
    own = _CRONTAB if kind.custom is not None else tuple(_below(kind.schema, (), ()))
    more = [("metadata", "annotations", name) for name in ANNOTATIONS] if kind.group == "autoscaling" else ()
    return (*own, *META, *TYPE, *more, *more)


def _below(schema: type[fields.Type], at: Place, inside: tuple[type, ...]) -> list[Place]:
    found: list[Place] = []
    if inside.count(schema) > 0 or len(at) > DEEPEST:
        return found
    for name, field in schema.fields_of().items():
        if not at and name in ("apiVersion", "kind", "metadata"):
            continue
        here: Place = (*at, name)
        found.append(here)
        inner: Any = field
        while isinstance(inner, fields.ListOf | fields.MapOf):
            here = (*here, 0 if isinstance(inner, fields.ListOf) else "a")
            found.append(here)
            inner = inner.inner
        if isinstance(inner, fields.Struct):
            found += _below(inner.schema, here, (*inside, schema))
    return found


def put(obj: Any, place: Place, value: Any) -> Any:
    """A copy of the object with `value` there; what is on the way is made if need be."""
    if not place:
        return value
    step, rest = place[0], place[1:]
    if isinstance(step, int):
        items = list(obj) if isinstance(obj, list) else []
        if not items:
            items.append(None)
        items[step] = put(items[step], rest, value)
        return items
    return {
        **(obj if isinstance(obj, dict) else {}),
        step: put(obj.get(step) if isinstance(obj, dict) else None, rest, value),
    }


def without(obj: Any, place: Place) -> Any:
    """A copy of the object without what is there."""
    made = inner = copy.deepcopy(obj)
    for step in place[:-1]:
        try:
            inner = inner[step]
        except (KeyError, IndexError, TypeError):
            return made
    if isinstance(inner, dict):
        inner.pop(place[-1], None)
    return made


def field_at(kind: Kind, place: Place) -> fields.Field | None:
    """The field there; None outside of what schemas know."""
    schema: Any = kind.schema
    field: Any = None
    for step in place:
        if isinstance(field, fields.ListOf | fields.MapOf):
            field = field.inner
        else:
            known = schema.fields_of() if schema is not None else {}
            field = known.get(step)
        if field is None:
            return None
        schema = field.schema if isinstance(field, fields.Struct) else None
    return field  # type: ignore[no-any-return]
