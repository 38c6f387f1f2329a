"""The shapes of kinds for field ownership (app.objects.managed), made from what the schemas declare."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from app.objects.managed.compare import Blank
from app.objects.managed.shape import DEDUCED, LEAF, Form, Shape
from app.schemas import kinds
from app.schemas.atomic import ATOMIC_TYPES, is_atomic_map
from app.schemas.fields import ABSENT, Anything, Field, ListOf, MapOf, Struct, Type
from app.schemas.kind import Kind
from app.schemas.meta import ObjectMeta


def shape_of(kind: Kind) -> Shape:
    """The shape of a kind's objects."""
    if kind.custom is not None:
        return of_custom(kind.custom.shape)
    return of_type(kind.schema)


@lru_cache(maxsize=1024)
def of_custom(shape: Shape) -> Shape:
    """The shape of custom resources: what their definition says, with the metadata that all objects have."""
    own = {"apiVersion": LEAF, "kind": LEAF, "metadata": of_type(ObjectMeta)}
    is_open = shape.open or shape.form is not Form.STRUCT
    return Shape(
        Form.STRUCT,
        fields=lambda: {**shape.fields, **own},
        item=(lambda: shape.item) if is_open else None,
    )


def shape_of_resource(resource: str) -> Shape:
    """The shape of what is stored as `pods` or `deployments.apps`; of what this process has no schema for, what can
    be told from the objects themselves."""
    try:
        return shape_of(kinds.by_resource(resource))
    except KeyError:
        return DEDUCED


@cache
def of_type(schema: type[Type]) -> Shape:
    """The shape of a type; atomic ones are leaves."""
    if schema.openapi_name() in ATOMIC_TYPES:
        return LEAF
    return Shape(Form.STRUCT, fields=lambda: _fields(schema), blank=lambda: blank(schema))


def _fields(schema: type[Type]) -> Mapping[str, Shape]:
    return {
        name: LEAF if is_atomic_map(schema, name) else _of_field(field)
        for name, field in schema.fields_of().items()
    }


def _of_field(field: Field) -> Shape:
    if isinstance(field, Struct):
        return of_type(field.schema)
    if isinstance(field, MapOf):
        return Shape(Form.MAP, item=lambda: _of_field(field.inner))
    if isinstance(field, ListOf):
        if field.list_type == "set":
            return Shape(Form.SET)
        if field.list_type == "map":
            return Shape(
                Form.KEYED,
                item=lambda: _of_field(field.inner),
                keys=field.map_keys,
                defaults=_key_defaults(field),
            )
        return LEAF
    return DEDUCED if isinstance(field, Anything) else LEAF


def _key_defaults(field: ListOf) -> Mapping[str, Any]:
    """What the keys of a list's items are where they are left out."""
    inside = field.inner.children()
    if inside is None or isinstance(inside, Field):
        return {}
    declared = inside.fields_of()
    given = {key: declared[key].default for key in field.map_keys if key in declared}
    return {key: default for key, default in given.items() if default is not ABSENT}


@cache
def blank(schema: type[Type]) -> Mapping[str, Any]:
    """An empty object as Go has it: structs that are held by value, and lists that are always written."""
    found: dict[str, Any] = Blank()
    for name, field in schema.fields_of().items():
        if isinstance(field, Struct) and field.by_value:
            found[name] = blank(field.schema)
        elif isinstance(field, ListOf) and field.required:
            found[name] = None
    return found
