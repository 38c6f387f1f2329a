"""Message classes of the kinds, made of the schemas and the tables of field numbers.

Every message is proto2 with optional fields only, so a field that was sent can be told from one that was not,
whatever its value. Inside the descriptors fields are called by their number (`f7`): nobody sees those names, and
not every name in JSON is one in protobuf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from app.schemas import fields as schema_fields
from app.schemas.fields import Field, ListOf, MapOf, Struct, Type
from app.schemas.kind import Kind
from app.schemas.kinds import ALL, BINDING, DELETE_OPTIONS, EVICTION, SCALE, TOKEN_REQUEST
from app.schemas.protobuf.table import Entry, tables
from app.schemas.types import apiextensions_schema

KINDS = (*ALL, SCALE, EVICTION, BINDING, DELETE_OPTIONS, TOKEN_REQUEST)
_BY_NAME = {(kind.group, kind.kind): kind for kind in KINDS}
_BY_VERSION = {(kind.group, kind.version, kind.kind): kind for kind in KINDS}
ENVELOPE = "runtime_Unknown"
# A list of texts where protobuf has no lists: inside a map (`ExtraValue`).
TEXTS = "Texts"
STRINGS = "ExtraValue"
# What an object is, is said by the envelope.
_TYPE_META = {"apiVersion", "kind"}

_FieldProto = descriptor_pb2.FieldDescriptorProto
_SCALARS: tuple[tuple[type[Field], Any], ...] = (
    (schema_fields.String, _FieldProto.TYPE_STRING),
    (schema_fields.Boolean, _FieldProto.TYPE_BOOL),
    (schema_fields.Int64, _FieldProto.TYPE_INT64),
    (schema_fields.Int32, _FieldProto.TYPE_INT32),
    (schema_fields.Bytes, _FieldProto.TYPE_BYTES),
    (schema_fields.Double, _FieldProto.TYPE_DOUBLE),
)
_JSON_SCHEMA = ".io_k8s_apiextensions-apiserver_pkg_apis_apiextensions_v1_JSONSchemaProps".replace("-", "_")
# Values that JSON writes in one piece and protobuf as a message, with that message's fields by name.
_COMPOUND: tuple[tuple[type[Field], str, Mapping[str, Any]], ...] = (
    (schema_fields.Time, "Timestamp", {"seconds": _FieldProto.TYPE_INT64, "nanos": _FieldProto.TYPE_INT32}),
    (schema_fields.Quantity, "Quantity", {"string": _FieldProto.TYPE_STRING}),
    (
        schema_fields.IntOrString,
        "IntOrString",
        {
            "type": _FieldProto.TYPE_INT64,
            "intVal": _FieldProto.TYPE_INT32,
            "strVal": _FieldProto.TYPE_STRING,
        },
    ),
    (
        apiextensions_schema.SchemaOrBool,
        "SchemaOrBool",
        {"allows": _FieldProto.TYPE_BOOL, "schema": _JSON_SCHEMA},
    ),
    (apiextensions_schema.SchemaOrArray, "SchemaOrArray", {"schema": _JSON_SCHEMA, "schemas*": _JSON_SCHEMA}),
    (
        apiextensions_schema.SchemaOrStrings,
        "SchemaOrStrings",
        {"schema": _JSON_SCHEMA, "names*": _FieldProto.TYPE_STRING},
    ),
    (schema_fields.Anything, "Raw", {"raw": _FieldProto.TYPE_BYTES}),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A field of a message: `name` in JSON and the schema's field; or a shape whose fields stand inline."""

    number: int
    name: str
    field: Field | None
    inline: Shape | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A message and what its fields are in JSON."""

    message: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Messages:
    """All message classes by name, and the shapes of the schemas."""

    classes: Mapping[str, Any]
    shapes: Mapping[type[Type], Shape]


@cache
def messages() -> Messages:
    """The classes; made at the first call.

    Raises:
        KeyError: a type or field of a schema has no number in the tables.
    """
    shapes: dict[type[Type], Shape] = {}
    for kind in KINDS:
        _collect(kind.schema, shapes)
    file = descriptor_pb2.FileDescriptorProto(name="kubernetes.proto", syntax="proto2")
    _add_fixed(file)
    for shape in shapes.values():
        _add(file, shape)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    classes = {
        each.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(each.name))
        for each in file.message_type
    }
    return Messages(classes, shapes)


def message_class(schema: type[Type]) -> Any:
    """The class of the messages that objects of `schema` are sent as."""
    made = messages()
    return made.classes[made.shapes[schema].message]


def kind_of(group: str, version: str, name: str) -> Kind | None:
    """The kind that a body in protobuf says it is, in another version if that one isn't known. DeleteOptions
    belong to every group."""
    if name == DELETE_OPTIONS.kind:
        return DELETE_OPTIONS
    return _BY_VERSION.get((group, version, name)) or _BY_NAME.get((group, name))


def _collect(schema: type[Type], shapes: dict[type[Type], Shape]) -> None:
    """Add the shapes of `schema` and of all inside it."""
    if schema in shapes:
        return
    name = schema.openapi_name()
    left = dict(schema.fields_of())
    message = _message_name(name)
    shapes[schema] = Shape(message, _slots(schema, tables()[name], left, message))
    if left and set(left) != _TYPE_META:
        raise KeyError(f"{name} has fields without a number: {', '.join(left)}")
    for field in schema.fields_of().values():
        inside = field.children()
        while isinstance(inside, Field):
            inside = inside.children()
        if inside is not None:
            _collect(inside, shapes)


def _slots(
    schema: type[Type], entries: tuple[Entry, ...], left: dict[str, Field], message: str
) -> tuple[Slot, ...]:
    """The slots of the entries; takes out of `left` the fields that they stand for."""
    made = []
    for entry in entries:
        if entry.inline:
            inner = f"{message}_{entry.name}"
            inside = _slots(schema, tables()[f"{schema.package}.{entry.name}"], left, inner)
            made.append(Slot(entry.number, "", None, Shape(inner, inside)))
        else:
            made.append(Slot(entry.number, entry.name, left.pop(entry.name)))
    return tuple(made)


def _message_name(openapi_name: str) -> str:
    return openapi_name.replace(".", "_").replace("-", "_")


def _add(file: descriptor_pb2.FileDescriptorProto, shape: Shape) -> None:
    message = file.message_type.add(name=shape.message)
    for slot in shape.slots:
        field = message.field.add(
            name=f"f{slot.number}", number=slot.number, label=_FieldProto.LABEL_OPTIONAL
        )
        if slot.inline is not None:
            field.type, field.type_name = _FieldProto.TYPE_MESSAGE, f".{slot.inline.message}"
            _add(file, slot.inline)
        elif isinstance(slot.field, MapOf):
            # A map is a list of entries of key and value.
            entry = message.nested_type.add(name=f"F{slot.number}Entry")
            entry.options.map_entry = True
            entry.field.add(
                name="key", number=1, label=_FieldProto.LABEL_OPTIONAL, type=_FieldProto.TYPE_STRING
            )
            value = entry.field.add(name="value", number=2, label=_FieldProto.LABEL_OPTIONAL)
            _set_type(value, slot.field.inner)
            field.label, field.type = _FieldProto.LABEL_REPEATED, _FieldProto.TYPE_MESSAGE
            field.type_name = f".{shape.message}.{entry.name}"
        elif isinstance(slot.field, ListOf):
            field.label = _FieldProto.LABEL_REPEATED
            _set_type(field, slot.field.inner)
        else:
            assert slot.field is not None
            _set_type(field, slot.field)


def _set_type(proto: Any, field: Field) -> None:
    if isinstance(field, ListOf):
        # Only as the value of a map, which can't be a list by itself: `ExtraValue` of authentication and authorization.
        proto.type, proto.type_name = _FieldProto.TYPE_MESSAGE, f".{STRINGS}"
        return
    if isinstance(field, Struct):
        proto.type = _FieldProto.TYPE_MESSAGE
        proto.type_name = f".{_message_name(field.schema.openapi_name())}"
        return
    if isinstance(field, ListOf) and isinstance(field.inner, schema_fields.String):
        proto.type, proto.type_name = _FieldProto.TYPE_MESSAGE, f".{TEXTS}"
        return
    for kind, scalar in _SCALARS:
        if isinstance(field, kind):
            proto.type = scalar
            return
    for kind, message, _ in _COMPOUND:
        if isinstance(field, kind):
            proto.type, proto.type_name = _FieldProto.TYPE_MESSAGE, f".{message}"
            return
    raise TypeError(f"{type(field).__name__} has no form in protobuf")


def _add_fixed(file: descriptor_pb2.FileDescriptorProto) -> None:
    """The messages that belong to no kind: compound values, and the envelope with its type."""
    text, octets = _FieldProto.TYPE_STRING, _FieldProto.TYPE_BYTES
    strings = file.message_type.add(name=STRINGS)
    strings.field.add(name="f1", number=1, label=_FieldProto.LABEL_REPEATED, type=text)
    for _, name, parts in _COMPOUND:
        _add_plain(file, name, parts)
    texts = file.message_type.add(name=TEXTS)
    texts.field.add(name="items", number=1, label=_FieldProto.LABEL_REPEATED, type=text)
    _add_plain(file, "runtime_TypeMeta", {"apiVersion": text, "kind": text})
    _add_plain(
        file,
        ENVELOPE,
        {
            "typeMeta": ".runtime_TypeMeta",
            "raw": octets,
            "contentEncoding": text,
            "contentType": text,
        },
    )


def _add_plain(file: descriptor_pb2.FileDescriptorProto, name: str, parts: Mapping[str, Any]) -> None:
    """A message of optional fields, numbered from 1. A part is a scalar type, or a message's name; one with a star
    behind its name is repeated."""
    message = file.message_type.add(name=name)
    for number, (part, kind) in enumerate(parts.items(), 1):
        label = _FieldProto.LABEL_REPEATED if part.endswith("*") else _FieldProto.LABEL_OPTIONAL
        field = message.field.add(name=part.rstrip("*"), number=number, label=label)
        if isinstance(kind, str):
            field.type, field.type_name = _FieldProto.TYPE_MESSAGE, kind
        else:
            field.type = kind
