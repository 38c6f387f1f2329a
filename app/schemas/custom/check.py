"""Whether a value is what a schema says, in the words that Kubernetes has for it.

They are those of k8s.io/kube-openapi/pkg/validation, wrapped as k8s.io/apiextensions-apiserver does. A part of an
object that an update leaves as it was is not looked at again (validation ratcheting).
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-ratcheting
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from app.objects.change import Object
from app.schemas.custom.check_alternatives import alternatives
from app.schemas.custom.check_object import object_checks
from app.schemas.custom.check_scalar import number_checks, string_checks
from app.schemas.custom.match import ABSENT, matching_items
from app.schemas.custom.walk import items_of
from app.schemas.faults import Faults

# Looks at a value, which was `old` before (ABSENT: nothing that corresponds to it), at a path.
Look = Callable[[Any, Any, str, Faults], None]

_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def name_of(value: Any) -> str:
    """The word of JSON Schema for the type of a value."""
    return _NAMES.get(type(value), "null")


def checker(schema: Object, *, root: bool = False) -> Look:
    """The function that looks at values of a schema. `root`: of a whole object."""
    types = _types(schema)
    nullable = bool(schema.get("nullable"))
    values = schema.get("enum")
    strings = string_checks(schema)
    numbers = number_checks(schema)
    lists = _list_checks(schema)
    objects = object_checks(schema, checker, root=root)
    others = alternatives(schema, checker)

    def look(value: Any, old: Any, path: str, faults: Faults) -> None:
        if old is not ABSENT and type(value) is type(old) and value == old:
            return
        if value is None and nullable:
            return
        if types and not _is(value, types):
            kind = name_of(value)
            faults.of_wrong_type(path, kind, f'{path} in body must be of type {",".join(types)}: "{kind}"')
            return
        if values is not None and not any(_same(value, each) for each in values):
            faults.not_supported_json(path, value, values)
        if type(value) is str:
            for check in strings:
                check(value, path, faults)
        elif type(value) is dict:
            objects(value, old, path, faults)
        elif type(value) is list:
            lists(value, old, path, faults)
        elif type(value) in (int, float):
            for check in numbers:
                check(value, path, faults)
        if others:
            others(value, path, faults)

    return look


def _types(schema: Object) -> tuple[str, ...]:
    if schema.get("x-kubernetes-int-or-string"):
        return ("integer", "string")
    return (schema["type"],) if schema.get("type") else ()


def _is(value: Any, types: tuple[str, ...]) -> bool:
    kind = name_of(value)
    if kind in types:
        return True
    if kind == "integer":
        return "number" in types
    return kind == "number" and "integer" in types and value.is_integer()


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one type: true is not 1."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _list_checks(schema: Object) -> Look:
    least, most, unique = schema.get("minItems"), schema.get("maxItems"), schema.get("uniqueItems")
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    item_schema = items_of(schema)
    inner = checker(item_schema) if item_schema is not None else None

    def look(value: list[Any], old: Any, path: str, faults: Faults) -> None:
        if most is not None and len(value) > most:
            faults.too_many(path, len(value), most)
        if least is not None and len(value) < least:
            faults.invalid(path, value, f"{path} in body should have at least {least} items")
        if unique and _repeated(value):
            faults.invalid(path, value, f"{path} in body shouldn't contain duplicates")
        if kind in ("set", "map"):
            _duplicates(value, keys if kind == "map" else (), path, faults)
        if inner:
            before = matching_items(kind, keys, value, old)
            for i, item in enumerate(value):
                inner(item, before(i, item), f"{path}[{i}]", faults)

    return look


def _repeated(value: list[Any]) -> bool:
    shown = [orjson.dumps(item, option=orjson.OPT_SORT_KEYS) for item in value]
    return len(set(shown)) < len(shown)


def _duplicates(value: list[Any], keys: tuple[str, ...] | list[str], path: str, faults: Faults) -> None:
    seen: set[bytes] = set()
    for i, item in enumerate(value):
        what = {key: item[key] for key in keys if key in item} if keys and isinstance(item, dict) else item
        shown = orjson.dumps(what, option=orjson.OPT_SORT_KEYS)
        if shown in seen:
            faults.duplicate(f"{path}[{i}]", what)
        seen.add(shown)
