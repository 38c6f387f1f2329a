"""A value as CEL sees it through its schema: which type it has, and what its fields are called.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.objects.change import Object
from app.schemas.custom.walk import additional_of, items_of, properties_of

Convert = Callable[[Any], Any]

RESERVED = frozenset(
    ("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
     "let", "loop", "package", "namespace", "return", "var", "void", "while")
)  # fmt: skip
_TYPES = {
    "string": "string",
    "integer": "int",
    "number": "double",
    "boolean": "bool",
    "array": "list",
    "object": "map",
}
_FORMATS = {
    "date-time": "timestamp",
    "datetime": "timestamp",
    "date": "timestamp",
    "duration": "duration",
    "byte": "bytes",
}
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def type_of(schema: Object) -> str:
    """The type of a schema's values, as `cel.compile_expression` names it."""
    if schema.get("x-kubernetes-int-or-string"):
        return "dyn"
    kind = schema.get("type", "")
    if kind == "string":
        return _FORMATS.get(schema.get("format", ""), "string")
    return _TYPES.get(kind, "dyn")


def escaped(name: str) -> str:
    """What a field is called in an expression."""
    if name in RESERVED:
        return f"__{name}__"
    for text, word in _ESCAPES:
        name = name.replace(text, word)
    return name


def converter(schema: Object) -> Convert | None:
    """The function that makes of a value what an expression sees; None if that is the value itself."""
    if schema.get("x-kubernetes-int-or-string"):
        return None
    kind = schema.get("type")
    if kind == "number":
        return lambda value: float(value) if type(value) is int else value
    if kind == "integer":
        return lambda value: int(value) if type(value) is float else value
    if kind == "string":
        return _STRINGS.get(_FORMATS.get(schema.get("format", ""), ""))
    if kind == "array":
        item_schema = items_of(schema)
        inner = converter(item_schema) if item_schema is not None else None
        if inner is None:
            return None
        return lambda value: [inner(item) for item in value] if type(value) is list else value
    return _object_converter(schema)


def _object_converter(schema: Object) -> Convert | None:
    rest_schema = additional_of(schema)
    rest = converter(rest_schema) if rest_schema is not None else None
    named = {name: (escaped(name), converter(each)) for name, each in properties_of(schema).items()}
    if rest is None and all(new == name and inner is None for name, (new, inner) in named.items()):
        return None

    def convert(value: Any) -> Any:
        if type(value) is not dict:
            return value
        out = {}
        for name, item in value.items():
            new, inner = named.get(name) or (name, rest)
            out[new] = inner(item) if inner and item is not None else item
        return out

    return convert


def _timestamp(value: Any) -> Any:
    try:
        found = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(value))
    return timedelta(seconds=-seconds if value.startswith("-") else seconds)


def _bytes(value: Any) -> Any:
    try:
        return base64.b64decode(value)
    except (ValueError, TypeError):
        return value


_STRINGS: dict[str, Convert] = {"timestamp": _timestamp, "duration": _duration, "bytes": _bytes}
