"""From a message to what JSON would have said: one function for each type, made once."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import orjson

from app.schemas import fields as schema_fields
from app.schemas.fields import Field, ListOf, MapOf, Struct, Type
from app.schemas.protobuf.messages import Shape, messages
from app.schemas.types import apiextensions_schema

Reader = Callable[[Any], Any]
# Deeper than the fields of any object: raw JSON is followed recursively later.
MAX_DEPTH = 100
# Without a zone, since all that is added to it is UTC.
_EPOCH = datetime(1970, 1, 1)


@cache
def reader(schema: type[Type]) -> Reader:
    """The function that makes a dict of a message of `schema`.

    It raises ValueError for a value that JSON can't say: text that is no UTF-8, a moment beyond the year 9999, raw
    JSON that is none.
    """
    return _struct(messages().shapes[schema])


def _struct(shape: Shape) -> Reader:
    named: dict[int, tuple[str, Reader]] = {}
    inline: dict[int, Reader] = {}
    for slot in shape.slots:
        if slot.inline is not None:
            inline[slot.number] = _struct(slot.inline)
        elif slot.field is not None:
            named[slot.number] = (slot.name, _reader(slot.field))

    def read(message: Any) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for descriptor, value in message.ListFields():
            known = named.get(descriptor.number)
            if known is None:
                out.update(inline[descriptor.number](value))
            else:
                out[known[0]] = known[1](value)
        return out

    return read


def _reader(field: Field) -> Reader:
    if isinstance(field, Struct):
        # Looked up late: a schema may contain itself.
        schema = field.schema
        return lambda message: reader(schema)(message)
    if isinstance(field, ListOf):
        item = _reader(field.inner)
        return lambda values: [item(value) for value in values]
    if isinstance(field, MapOf) and isinstance(field.inner, ListOf):
        return lambda values: {text(key): [text(item) for item in value.f1] for key, value in values.items()}
    if isinstance(field, MapOf) and isinstance(field.inner, ListOf):
        return lambda values: {
            text(key): [text(each) for each in value.items] for key, value in values.items()
        }
    if isinstance(field, MapOf):
        item = _reader(field.inner)
        return lambda values: {text(key): item(value) for key, value in values.items()}
    for kind, read in _READERS:
        if isinstance(field, kind):
            return read
    return lambda value: value


def text(value: Any) -> str:
    """Text as it was sent. The protobuf library gives bytes for what is no UTF-8, which is a ValueError here."""
    if type(value) is str:
        return value
    raise ValueError("a string field contains invalid UTF-8")


def _bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _quantity(message: Any) -> str:
    return text(message.string) if message.HasField("string") else "0"


def _int_or_string(message: Any) -> int | str:
    if message.type not in (0, 1):
        raise ValueError("impossible IntOrString.Type")
    return text(message.strVal) if message.type else message.intVal


def _moment(message: Any, microseconds: int = 0) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=message.seconds, microseconds=microseconds)
    except OverflowError:
        raise ValueError("a time is not in the years 1 to 9999") from None


def _time(message: Any) -> str | None:
    """An empty message is no time at all; the fraction of a second counts for nothing, as in JSON."""
    return _moment(message).isoformat(timespec="seconds") + "Z" if message.ListFields() else None


def _micro_time(message: Any) -> str | None:
    if not message.ListFields():
        return None
    return _moment(message, message.nanos // 1000).isoformat(timespec="microseconds") + "Z"


def _raw(message: Any) -> Any:
    if not message.raw:
        return None
    value = orjson.loads(message.raw)
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return value
    raise ValueError(f"raw JSON is nested deeper than {MAX_DEPTH} levels")


def _schema_or_bool(message: Any) -> Any:
    if message.HasField("schema"):
        return reader(apiextensions_schema.JSONSchemaProps)(message.schema)
    return bool(message.allows)


def _schema_or_array(message: Any) -> Any:
    read = reader(apiextensions_schema.JSONSchemaProps)
    return read(message.schema) if message.HasField("schema") else [read(each) for each in message.schemas]


def _schema_or_strings(message: Any) -> Any:
    if message.HasField("schema"):
        return reader(apiextensions_schema.JSONSchemaProps)(message.schema)
    return [text(name) for name in message.names]


_READERS: tuple[tuple[type[Field], Reader], ...] = (
    (schema_fields.String, text),
    (schema_fields.MicroTime, _micro_time),
    (schema_fields.Time, _time),
    (schema_fields.Quantity, _quantity),
    (schema_fields.IntOrString, _int_or_string),
    (schema_fields.Bytes, _bytes),
    (apiextensions_schema.SchemaOrBool, _schema_or_bool),
    (apiextensions_schema.SchemaOrArray, _schema_or_array),
    (apiextensions_schema.SchemaOrStrings, _schema_or_strings),
    (apiextensions_schema.Empty, lambda message: {}),
    (schema_fields.Anything, _raw),
)
