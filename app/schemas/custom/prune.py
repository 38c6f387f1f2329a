"""Pruning: fields that a schema doesn't know are dropped, and named.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.objects.change import Object
from app.schemas.custom.walk import ROOT_FIELDS, additional_of, items_of, properties_of

# Takes a value, its path, and a list to which it adds the path of what it drops. Changes nothing it is given.
Prune = Callable[[Any, str, list[str]], Any]


def pruner(schema: Object, *, root: bool = False) -> Prune | None:
    """The function that prunes values of a schema; None if there is never anything to drop. `root`: it is that of
    a whole object, whose apiVersion, kind and metadata belong to everything."""
    item_schema = items_of(schema)
    items = pruner(item_schema) if item_schema is not None else None
    as_object = _object_pruner(schema, root or bool(schema.get("x-kubernetes-embedded-resource")))
    if items is None and as_object is None:
        return None

    def prune(value: Any, path: str, dropped: list[str]) -> Any:
        if type(value) is dict:
            return as_object(value, path, dropped) if as_object else value
        if type(value) is list and items:
            return [items(item, f"{path}[{i}]", dropped) for i, item in enumerate(value)]
        return value

    return prune


def _object_pruner(schema: Object, resource: bool) -> Prune | None:
    additional = schema.get("additionalProperties")
    every = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or additional is True
    known: dict[str, Prune | None] = {name: pruner(each) for name, each in properties_of(schema).items()}
    if resource:
        known.update((name, None) for name in ROOT_FIELDS)
    rest_schema = additional_of(schema)
    rest = pruner(rest_schema) if rest_schema is not None else None
    kept = every or rest_schema is not None
    if kept and rest is None and not any(known.values()):
        return None

    def prune(value: Any, path: str, dropped: list[str]) -> Any:
        out = {}
        for name, inner in value.items():
            if name in known:
                look = known[name]
            elif kept:
                look = rest
            else:
                dropped.append(f"{path}.{name}" if path else name)
                continue
            out[name] = look(inner, f"{path}.{name}" if path else name, dropped) if look else inner
        return out

    return prune
