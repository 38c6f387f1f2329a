"""Structural schemas: what a schema may say so that objects can be pruned, defaulted and merged by it.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema;
the words are those of k8s.io/apiextensions-apiserver (pkg/apiserver/schema and pkg/apis/apiextensions/validation).
"""

from __future__ import annotations

from typing import Any

from app.objects.change import Object
from app.schemas.custom.walk import additional_of, items_of, properties_of
from app.schemas.expressions import compiled
from app.schemas.faults import Faults

TYPES = ("array", "boolean", "integer", "number", "object", "string")
_LOGIC = ("allOf", "anyOf", "oneOf")
_UNSUPPORTED = (
    "id",
    "patternProperties",
    "dependencies",
    "additionalItems",
    "definitions",
    "$ref",
    "$schema",
)
# What alternatives can't say: it must be said outside of them.
_NOT_IN_LOGIC = (
    "type", "description", "title", "nullable", "default", "additionalProperties",
    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string",
    "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
)  # fmt: skip
_EITHER = [{"type": "integer"}, {"type": "string"}]


def check_structure(schema: Object, path: str, faults: Faults, *, root: bool = False) -> None:
    """Add what speaks against a schema being structural. `root`: it is that of a whole object."""
    _forbidden(schema, path, faults)
    _type(schema, path, faults, root)
    _lists(schema, path, faults)
    _objects(schema, path, faults, root)
    _forms(schema, path, faults)
    for name, each in properties_of(schema).items():
        if not (root and name in ("apiVersion", "kind")):
            check_structure(each, f"{path}.properties[{name}]", faults)
    rest, items = additional_of(schema), items_of(schema)
    if rest is not None:
        check_structure(rest, f"{path}.additionalProperties", faults)
    if items is not None:
        check_structure(items, f"{path}.items", faults)
    for word in _LOGIC:
        for i, each in enumerate(schema.get(word) or ()):
            _logic(each, schema, f"{path}.{word}[{i}]", path, faults)
    if schema.get("not") is not None:
        _logic(schema["not"], schema, f"{path}.not", path, faults)


def _forbidden(schema: Object, path: str, faults: Faults) -> None:
    for word in _UNSUPPORTED:
        if schema.get(word):
            faults.forbidden(f"{path}.{word}", f"{word} is not supported")
    if schema.get("uniqueItems"):
        faults.forbidden(
            f"{path}.uniqueItems",
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        )
    if schema.get("additionalProperties") is False:
        faults.forbidden(f"{path}.additionalProperties", "additionalProperties cannot be set to false")
    if schema.get("properties") and schema.get("additionalProperties"):
        faults.forbidden(
            f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"
        )
    if isinstance(schema.get("items"), list):
        faults.forbidden(f"{path}.items", "items must be a schema object and not an array")


def _type(schema: Object, path: str, faults: Faults, root: bool) -> None:
    kind = schema.get("type", "")
    if kind == "null":
        faults.forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    elif kind and kind not in TYPES:
        faults.not_supported(f"{path}.type", kind, TYPES)
    if root and kind != "object":
        if kind:
            faults.invalid(f"{path}.type", kind, "must be object at the root")
        else:
            faults.required(f"{path}.type", "must not be empty at the root")
        return
    if schema.get("x-kubernetes-int-or-string"):
        if kind:
            faults.forbidden(f"{path}.type", "must be empty if x-kubernetes-int-or-string is true")
    elif not kind and not schema.get("x-kubernetes-preserve-unknown-fields"):
        if path.endswith(".items"):
            faults.required(f"{path}.type", "must not be empty for specified array items")
        else:
            faults.required(f"{path}.type", "must not be empty for specified object fields")
    if root and schema.get("nullable"):
        faults.forbidden(f"{path}.nullable", "nullable cannot be true at the root")
    if kind == "array" and schema.get("items") is None:
        faults.required(f"{path}.items", "must be specified")


def _objects(schema: Object, path: str, faults: Faults, root: bool) -> None:
    kind = schema.get("type")
    if schema.get("x-kubernetes-embedded-resource"):
        if kind != "object":
            faults.invalid(
                f"{path}.type", kind or "", "must be object if x-kubernetes-embedded-resource is true"
            )
        if not schema.get("properties") and not schema.get("x-kubernetes-preserve-unknown-fields"):
            faults.required(
                f"{path}.properties",
                "must not be empty if x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields",
            )
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        faults.invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined")
    map_type = schema.get("x-kubernetes-map-type")
    if map_type is not None:
        if kind != "object":
            faults.invalid(f"{path}.type", kind or "", "must be object if x-kubernetes-map-type is specified")
        if map_type not in ("granular", "atomic"):
            faults.not_supported(f"{path}.x-kubernetes-map-type", map_type, ("atomic", "granular"))
    if root or schema.get("x-kubernetes-embedded-resource"):
        meta = properties_of(schema).get("metadata") or {}
        others = {k for k, v in meta.items() if v} - {"type", "properties", "description"}
        if others or set(properties_of(meta)) - {"name", "generateName"}:
            faults.forbidden(
                f"{path}.properties[metadata]",
                "must not specify anything other than name and generateName, but metadata is implicitly specified",
            )


def _lists(schema: Object, path: str, faults: Faults) -> None:
    list_type, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    if keys and list_type != "map":
        faults.required(
            f"{path}.x-kubernetes-list-type", "must be map if x-kubernetes-list-map-keys is non-empty"
        )
    if list_type is None:
        return
    if schema.get("type") != "array":
        faults.invalid(
            f"{path}.type", schema.get("type", ""), "must be array if x-kubernetes-list-type is specified"
        )
    if list_type not in ("atomic", "set", "map"):
        faults.not_supported(f"{path}.x-kubernetes-list-type", list_type, ("atomic", "map", "set"))
    items = items_of(schema) or {}
    if list_type == "set" and items.get("type") in ("object", "array"):
        map_type = items.get("x-kubernetes-map-type") or items.get("x-kubernetes-list-type")
        if map_type != "atomic":
            faults.invalid(
                f"{path}.items.x-kubernetes-{'map' if items['type'] == 'object' else 'list'}-type",
                map_type or "", "must be atomic as item of a list with x-kubernetes-list-type=set",
            )  # fmt: skip
    if list_type == "map":
        _map_keys(keys, items, path, faults)


def _map_keys(keys: Any, items: Object, path: str, faults: Faults) -> None:
    if not keys:
        faults.required(
            f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"
        )
    if items.get("type") != "object":
        faults.invalid(
            f"{path}.items.type",
            items.get("type", ""),
            "must be object if parent array's x-kubernetes-list-type is map",
        )
        return
    for i, key in enumerate(keys):
        known = properties_of(items).get(key)
        if known is None:
            faults.invalid(
                f"{path}.x-kubernetes-list-map-keys[{i}]", key, "keys must be defined as properties of items"
            )
        elif known.get("type") in ("array", "object"):
            faults.invalid(
                f"{path}.items.properties[{key}].type", known["type"],
                "must be a scalar type if parent array's x-kubernetes-list-type is map",
            )  # fmt: skip
        elif key not in (items.get("required") or ()) and known.get("default") is None:
            faults.required(
                f"{path}.items.properties[{key}].default",
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
            )


def _forms(schema: Object, path: str, faults: Faults) -> None:
    if schema.get("pattern"):
        try:
            compiled(schema["pattern"])
        except ValueError as exc:
            faults.invalid(
                f"{path}.pattern", schema["pattern"], f"must be a valid regular expression, but isn't: {exc}"
            )


def _logic(schema: Object, outside: Object, path: str, outer: str, faults: Faults) -> None:
    """Alternatives may only narrow what is said outside of them."""
    _forms(schema, path, faults)
    integer_or_string = outside.get("x-kubernetes-int-or-string") and schema in _EITHER
    for word in _NOT_IN_LOGIC:
        if schema.get(word) and not integer_or_string:
            faults.forbidden(f"{path}.{word}", "must be empty to be structural")
    for name, each in properties_of(schema).items():
        known = properties_of(outside).get(name)
        if known is None and additional_of(outside) is None:
            faults.required(
                f"{outer}.properties[{name}]", f"because it is defined in {path}.properties[{name}]"
            )
        _logic(
            each,
            known or additional_of(outside) or {},
            f"{path}.properties[{name}]",
            f"{outer}.properties[{name}]",
            faults,
        )
    items = items_of(schema)
    if items is not None:
        if items_of(outside) is None:
            faults.required(f"{outer}.items", f"because it is defined in {path}.items")
        _logic(items, items_of(outside) or {}, f"{path}.items", f"{outer}.items", faults)
    for word in _LOGIC:
        for i, each in enumerate(schema.get(word) or ()):
            _logic(each, outside, f"{path}.{word}[{i}]", outer, faults)
    if schema.get("not") is not None:
        _logic(schema["not"], outside, f"{path}.not", outer, faults)
