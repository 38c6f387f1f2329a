"""What server-side apply needs to know of a schema: what is at a path, and who may own parts of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.objects.change import Object
from app.objects.managed.shape import DEDUCED, LEAF, Form, Shape
from app.schemas.custom.walk import additional_of, items_of, properties_of


def shape_of(schema: Object) -> Shape:
    """The shape of a schema's values.

    https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
    """
    kind = schema.get("type")
    if kind == "array":
        return _of_list(schema)
    if kind == "object":
        return _of_object(schema)
    if not kind and schema.get("x-kubernetes-preserve-unknown-fields"):
        return DEDUCED
    return LEAF


def _of_list(schema: Object) -> Shape:
    list_type, items = schema.get("x-kubernetes-list-type"), items_of(schema)
    if list_type == "set":
        return Shape(Form.SET)
    if list_type == "map" and items is not None:
        keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        known = properties_of(items)
        defaults = {
            key: known[key]["default"] for key in keys if known.get(key, {}).get("default") is not None
        }
        return Shape(Form.KEYED, item=lambda: shape_of(items), keys=keys, defaults=defaults)
    return LEAF


def _of_object(schema: Object) -> Shape:
    if schema.get("x-kubernetes-map-type") == "atomic":
        return LEAF
    known, rest = properties_of(schema), additional_of(schema)
    if rest is not None and not known:
        return Shape(Form.MAP, item=lambda: shape_of(rest))
    if not known:
        return DEDUCED

    def fields() -> Mapping[str, Any]:
        return {name: shape_of(each) for name, each in known.items()}

    preserved = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or rest is not None
    return Shape(Form.STRUCT, fields=fields, item=(lambda: DEDUCED) if preserved else None)
