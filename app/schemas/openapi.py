"""OpenAPI v3 documents, one for each group and version, made from the schemas.

They hold what kubectl reads: `explain` the descriptions, `apply` the merge keys and which query
parameters a PATCH takes. https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from typing import Any

from app.schemas import kinds
from app.schemas.atomic import ATOMIC_TYPES, is_atomic_map
from app.schemas.custom.openapi import published
from app.schemas.fields import (
    ABSENT,
    Anything,
    Boolean,
    Bytes,
    Double,
    Field,
    Int32,
    Int64,
    IntOrString,
    ListOf,
    MapOf,
    MicroTime,
    Quantity,
    Struct,
    Time,
    Type,
)
from app.schemas.kind import Kind
from app.schemas.meta import ObjectMeta
from app.schemas.openapi_paths import paths
from app.schemas.types.apiextensions_schema import (
    Apiextensions,
    Empty,
    Json,
    SchemaOrArray,
    SchemaOrBool,
    SchemaOrStrings,
)

Document = dict[str, Any]

_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
LIST_META = f"{_META}.ListMeta"
STATUS = f"{_META}.Status"
_EXTENSIONS = Apiextensions.package
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
# Types that have no schema class of their own here.
_PLAIN: dict[str, Document] = {
    _QUANTITY: {
        "description": "An amount of a resource, such as 500m or 1Gi.",
        "oneOf": [{"type": "string"}, {"type": "number"}],
    },
    _INT_OR_STRING: {
        "description": "A number, or a name or percentage.",
        "format": "int-or-string",
        "oneOf": [{"type": "integer"}, {"type": "string"}],
    },
    f"{_META}.Time": {"description": "A moment, RFC 3339.", "type": "string", "format": "date-time"},
    f"{_META}.MicroTime": {
        "description": "A moment, RFC 3339, in microseconds.",
        "type": "string",
        "format": "date-time",
    },
    f"{_META}.FieldsV1": {"description": "A set of fields.", "type": "object"},
    # What may be several things has a name but no type, as in Kubernetes's own documents.
    f"{_EXTENSIONS}.JSON": {"description": "Any JSON."},
    f"{_EXTENSIONS}.JSONSchemaPropsOrBool": {"description": "A schema, or whether anything may stand there."},
    f"{_EXTENSIONS}.JSONSchemaPropsOrArray": {"description": "A schema, or a list of schemas."},
    f"{_EXTENSIONS}.JSONSchemaPropsOrStringArray": {"description": "A schema, or a list of names."},
    LIST_META: {
        "description": "What is said of a list as a whole.",
        "type": "object",
        "properties": {
            "continue": {"type": "string", "description": "Ask with it for the next part of the list."},
            "remainingItemCount": {"type": "integer", "format": "int64", "description": "What is left."},
            "resourceVersion": {"type": "string", "description": "Where a watch can begin."},
            "selfLink": {"type": "string"},
        },
    },
    STATUS: {
        "description": "How a request went.",
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"$ref": f"#/components/schemas/{LIST_META}"},
            "status": {"type": "string", "description": "Success or Failure."},
            "message": {"type": "string", "description": "For people."},
            "reason": {"type": "string", "description": "For programs, in one word."},
            "details": {"type": "object", "description": "What it is about, and the causes."},
            "code": {"type": "integer", "format": "int32", "description": "HTTP status code."},
        },
        "x-kubernetes-group-version-kind": [{"group": "", "kind": "Status", "version": "v1"}],
    },
}
_REFERRED: dict[type[Field], str] = {
    Quantity: _QUANTITY,
    IntOrString: _INT_OR_STRING,
    Time: f"{_META}.Time",
    MicroTime: f"{_META}.MicroTime",
    Anything: f"{_META}.FieldsV1",
    Json: f"{_EXTENSIONS}.JSON",
    SchemaOrBool: f"{_EXTENSIONS}.JSONSchemaPropsOrBool",
    SchemaOrArray: f"{_EXTENSIONS}.JSONSchemaPropsOrArray",
    SchemaOrStrings: f"{_EXTENSIONS}.JSONSchemaPropsOrStringArray",
}
_PLAIN_TYPES: dict[type[Field], Document] = {
    Empty: {"type": "object"},
    Double: {"type": "number", "format": "double"},
    Boolean: {"type": "boolean"},
    Bytes: {"type": "string", "format": "byte"},
    Int32: {"type": "integer", "format": "int32"},
    Int64: {"type": "integer", "format": "int64"},
}


@cache
def v3(group: str, version: str) -> Document:
    """The document of the built-in kinds of one group and version. Shared: don't change it."""
    return of_kinds([kind for kind in kinds.ALL if (kind.group, kind.version) == (group, version)])


def of_kinds(served: Sequence[Kind]) -> Document:
    """The document of the kinds of one group and version. Made anew at each call: what is made of it is worth
    keeping."""
    schemas: Document = {}
    bodies = {
        "scale": kinds.SCALE,
        "binding": kinds.BINDING,
        "eviction": kinds.EVICTION,
        "token": kinds.TOKEN_REQUEST,
    }
    for kind in served:
        _add_kind(schemas, kind)
        schemas[f"{kind.openapi_name}List"] = _list_schema(kind)
        for subresource, body in bodies.items():
            if subresource in kind.subresources:
                _add_kind(schemas, body)
    _add_kind(schemas, kinds.DELETE_OPTIONS)
    for name in (LIST_META, STATUS):
        schemas[name] = _PLAIN[name]
    return {
        "openapi": "3.0.0",
        "info": {"title": "Beanpole", "version": "unversioned"},
        "paths": paths(served),
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _add_kind(schemas: Document, kind: Kind) -> None:
    name = kind.openapi_name
    if kind.custom is not None:
        _add(schemas, ObjectMeta)
        schemas[name] = published(kind.custom)
    else:
        _add(schemas, kind.schema)
    group = "" if kind is kinds.DELETE_OPTIONS else kind.group
    gvk = {"group": group, "kind": kind.kind, "version": kind.version}
    schemas[name] = {**schemas[name], "x-kubernetes-group-version-kind": [gvk]}


def _list_schema(kind: Kind) -> Document:
    return {
        "description": f"Several objects of the kind {kind.kind}.",
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"allOf": [_ref(LIST_META)]},
            "items": {"type": "array", "items": {"allOf": [_ref(kind.openapi_name)]}},
        },
        "x-kubernetes-group-version-kind": [
            {"group": kind.group, "kind": kind.list_kind, "version": kind.version}
        ],
    }


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _add(schemas: Document, schema: type[Type]) -> None:
    """Add a type and all that it is made of."""
    name = schema.openapi_name()
    if name in schemas:
        return
    properties: Document = {}
    described = {"description": inspect.cleandoc(schema.__doc__ or ""), "type": "object"}
    schemas[name] = {**described, "properties": properties}
    required = []
    for key, field in schema.fields_of().items():
        properties[key] = _property(schemas, field)
        if is_atomic_map(schema, key):
            properties[key]["x-kubernetes-map-type"] = "atomic"
        if field.needed:
            required.append(key)
    if required:
        schemas[name]["required"] = sorted(required)
    if name in ATOMIC_TYPES:
        schemas[name]["x-kubernetes-map-type"] = "atomic"


def _property(schemas: Document, field: Field) -> Document:
    shape = _shape(schemas, field)
    if field.about:
        shape["description"] = field.about
    if field.choices:
        shape["enum"] = sorted(field.choices)
    if field.default is not ABSENT:
        shape["default"] = field.default
    if field.merge_key:
        shape["x-kubernetes-patch-merge-key"] = field.merge_key
    if field.merge_strategy:
        shape["x-kubernetes-patch-strategy"] = field.merge_strategy
    if isinstance(field, ListOf):
        shape["x-kubernetes-list-type"] = field.list_type or "atomic"
        if field.list_type == "map":
            shape["x-kubernetes-list-map-keys"] = list(field.map_keys)
    return shape


def _shape(schemas: Document, field: Field) -> Document:
    if isinstance(field, Struct):
        _add(schemas, field.schema)
        return {"allOf": [_ref(field.schema.openapi_name())]}
    if isinstance(field, ListOf):
        return {"type": "array", "items": _property(schemas, field.inner)}
    if isinstance(field, MapOf):
        return {"type": "object", "additionalProperties": _property(schemas, field.inner)}
    referred = _REFERRED.get(type(field))
    if referred:
        schemas[referred] = _PLAIN[referred]
        return {"allOf": [_ref(referred)]}
    return dict(_PLAIN_TYPES.get(type(field), {"type": "string"}))
