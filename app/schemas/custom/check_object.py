"""What a schema says of objects: which fields they must have, and what these are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from app.objects.change import Object
from app.schemas.custom.later import later
from app.schemas.custom.match import field_before
from app.schemas.custom.walk import ROOT_FIELDS, additional_of, properties_of
from app.schemas.faults import Faults

Look = Callable[[Any, Any, str, Faults], None]


def object_checks(schema: Object, checker: Callable[[Object], Look], *, root: bool) -> Look:
    """The function that looks at an object. `root`: it is a whole one, which has more fields than its schema names."""
    required = schema.get("required") or ()
    named = {name: later(partial(checker, each)) for name, each in properties_of(schema).items()}
    rest_schema = additional_of(schema)
    rest = checker(rest_schema) if rest_schema is not None else None
    closed = schema.get("additionalProperties") is False
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    embedded = bool(schema.get("x-kubernetes-embedded-resource"))

    def look(value: Object, old: Any, path: str, faults: Faults) -> None:
        if most is not None and len(value) > most:
            faults.too_many(path, len(value), most)
        if least is not None and len(value) < least:
            faults.invalid(path, value, f"{path} in body should have at least {least} properties")
        prefix = f"{path}." if path else ""
        for name in required:
            if name not in value:
                faults.required(prefix + name)
        for name, inner in value.items():
            each = named.get(name)
            if each is None and rest is not None and not (root and name in ROOT_FIELDS):
                each = rest
            if each is not None:
                each(inner, field_before(old, name), prefix + name, faults)
            elif closed and name not in named:
                faults.invalid(prefix + name, inner, f"{prefix}{name} in body is a forbidden property")
        if embedded:
            _embedded(value, path, faults)

    return look


def _embedded(value: Object, path: str, faults: Faults) -> None:
    for name in ("apiVersion", "kind"):
        found = value.get(name)
        if found is None or found == "":
            faults.required(f"{path}.{name}", "must not be empty")
        elif not isinstance(found, str):
            faults.invalid(f"{path}.{name}", found, "must be a string")
    meta = value.get("metadata")
    if meta is not None and not isinstance(meta, dict):
        faults.invalid(f"{path}.metadata", meta, "must be an object")
