"""Defaulting: what a schema says of absent fields.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

from app.objects.change import Object
from app.schemas.custom.later import later
from app.schemas.custom.walk import additional_of, items_of, properties_of, stray_null

# Gives the value with its defaults; the same value if there is nothing to fill in. Changes nothing it is given.
Fill = Callable[[Any], Any]


def filler(schema: Object) -> Fill:
    """The function that fills in values of a schema. A null that the schema doesn't allow counts as absent."""
    named = {name: (each, later(partial(filler, each))) for name, each in properties_of(schema).items()}
    defaults = {name: each["default"] for name, (each, _) in named.items() if each.get("default") is not None}
    rest_schema, item_schema = additional_of(schema), items_of(schema)
    rest = filler(rest_schema) if rest_schema is not None else None
    items = filler(item_schema) if item_schema is not None else None

    def fill_object(value: Object) -> Object:
        out = value
        for name, default in defaults.items():
            if name not in value or stray_null(value[name], named[name][0]):
                if out is value:
                    out = dict(value)
                out[name] = copy.deepcopy(default)
        for name, inner in list(out.items()):
            each, look = named.get(name) or (rest_schema, rest)
            if each is None or look is None:
                continue
            made: Any
            if stray_null(inner, each):
                made = copy.deepcopy(each.get("default"))
            else:
                made = look(inner)
            if made is inner and made is not None:
                continue
            if out is value:
                out = dict(value)
            if made is None and inner is None and not each.get("nullable"):
                del out[name]
            else:
                out[name] = made
        return out

    def fill_list(value: list[Any]) -> list[Any]:
        assert items is not None
        assert item_schema is not None
        made = [
            copy.deepcopy(item_schema["default"])
            if stray_null(item, item_schema) and item_schema.get("default") is not None
            else items(item)
            for item in value
        ]
        return value if all(a is b for a, b in zip(made, value, strict=True)) else made

    def fill(value: Any) -> Any:
        if type(value) is dict:
            return fill_object(value)
        if type(value) is list and items:
            return fill_list(value)
        return value

    return fill


def has_defaults(schema: Object) -> bool:
    """Whether a schema has a default anywhere."""
    inner = [*properties_of(schema).values(), additional_of(schema), items_of(schema)]
    return schema.get("default") is not None or any(has_defaults(each) for each in inner if each is not None)
