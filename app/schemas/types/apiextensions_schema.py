"""JSONSchemaProps: a schema inside a CustomResourceDefinition, which contains itself in many places.

https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/#JSONSchemaProps
"""

from __future__ import annotations

from typing import Any

from app.schemas.field import Decoder, Field
from app.schemas.fields import (
    Anything,
    Boolean,
    Double,
    Int64,
    ListOf,
    MapOf,
    Recursive,
    String,
    Struct,
    Type,
)
from app.schemas.mismatch import Mismatch, json_name


class Apiextensions(Type):
    """Types of this group."""

    package = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"


class _Either(Anything):
    """A schema, or something else in its place."""

    def children(self) -> Field | type[Type] | None:
        return JSONSchemaProps

    def decoder(self) -> Decoder:
        def decode(value: Any, unknown: list[str]) -> Any:
            if type(value) is dict:
                return JSONSchemaProps.decoder()(value, unknown)
            return self.other(value, unknown)

        return decode

    def other(self, value: Any, unknown: list[str]) -> Any:
        raise NotImplementedError


class SchemaOrBool(_Either):
    """A schema, or whether anything may stand there."""

    go = "v1.JSONSchemaPropsOrBool"

    def other(self, value: Any, unknown: list[str]) -> Any:
        if type(value) is bool:
            return value
        raise Mismatch(json_name(value), self.go, text="boolean or JSON schema expected")


class SchemaOrArray(_Either):
    """A schema, or a list of schemas."""

    go = "v1.JSONSchemaPropsOrArray"

    def other(self, value: Any, unknown: list[str]) -> Any:
        if type(value) is list:
            return [JSONSchemaProps.decoder()(item, unknown) for item in value]
        raise Mismatch(json_name(value), self.go)


class SchemaOrStrings(_Either):
    """A schema, or a list of names."""

    go = "v1.JSONSchemaPropsOrStringArray"

    def other(self, value: Any, unknown: list[str]) -> Any:
        if type(value) is list and all(type(item) is str for item in value):
            return value
        raise Mismatch(json_name(value), self.go)


class Json(Anything):
    """Any JSON at all, where other fields that are kept as they are hold an object."""

    go = "v1.JSON"


class Empty(Anything):
    """An object without fields: that it is there is what it says."""

    go = "v1.CustomResourceSubresourceStatus"

    def decoder(self) -> Decoder:
        def decode(value: Any, unknown: list[str]) -> Any:
            if type(value) is not dict:
                raise Mismatch(json_name(value), self.go)
            unknown.extend(value)
            return {}

        return decode


class ExternalDocumentation(Apiextensions):
    """Where more is written about a field."""

    description = String()
    url = String()


class ValidationRule(Apiextensions):
    """A rule in CEL that values must fulfil."""

    rule = String("What must hold, in CEL; `self` is the value.", required=True)
    message = String("What to say if it doesn't.")
    messageExpression = String("What to say, in CEL.")
    reason = String("Reason of the refusal, for programs.")
    fieldPath = String("The field that is at fault, below the value.")
    optionalOldSelf = Boolean(
        "Whether `oldSelf` is an optional value, and new values are checked too.", keep_zero=True
    )


class JSONSchemaProps(Apiextensions):
    """What a value may be: JSON Schema as OpenAPI v3 and Kubernetes have it."""


JSONSchemaProps._declared_fields = {
    "id": String(),
    "$schema": String(),
    "$ref": String(keep_zero=True),
    "description": String("What it is, for people."),
    "type": String("string, integer, number, boolean, object or array."),
    "format": String("Form of a string or number."),
    "title": String(),
    "default": Json("The value where there is none.", keep_zero=True),
    "maximum": Double(keep_zero=True),
    "exclusiveMaximum": Boolean(),
    "minimum": Double(keep_zero=True),
    "exclusiveMinimum": Boolean(),
    "maxLength": Int64(keep_zero=True),
    "minLength": Int64(keep_zero=True),
    "pattern": String(),
    "maxItems": Int64(keep_zero=True),
    "minItems": Int64(keep_zero=True),
    "uniqueItems": Boolean(),
    "multipleOf": Double(keep_zero=True),
    "enum": ListOf(Json(), list_type="atomic"),
    "maxProperties": Int64(keep_zero=True),
    "minProperties": Int64(keep_zero=True),
    "required": ListOf(String(), list_type="atomic"),
    "items": SchemaOrArray(keep_zero=True),
    "allOf": ListOf(Recursive(JSONSchemaProps), list_type="atomic"),
    "oneOf": ListOf(Recursive(JSONSchemaProps), list_type="atomic"),
    "anyOf": ListOf(Recursive(JSONSchemaProps), list_type="atomic"),
    "not": Recursive(JSONSchemaProps),
    "properties": MapOf(Recursive(JSONSchemaProps)),
    "additionalProperties": SchemaOrBool(keep_zero=True),
    "patternProperties": MapOf(Recursive(JSONSchemaProps)),
    "dependencies": MapOf(SchemaOrStrings()),
    "additionalItems": SchemaOrBool(keep_zero=True),
    "definitions": MapOf(Recursive(JSONSchemaProps)),
    "externalDocs": Struct(ExternalDocumentation),
    "example": Json(keep_zero=True),
    "nullable": Boolean("Whether it may be null."),
    "x-kubernetes-preserve-unknown-fields": Boolean(
        "Whether fields it doesn't name are kept.", keep_zero=True
    ),
    "x-kubernetes-embedded-resource": Boolean("Whether it is an object with apiVersion, kind and metadata."),
    "x-kubernetes-int-or-string": Boolean("Whether it is a number or a text."),
    "x-kubernetes-list-map-keys": ListOf(String(), list_type="atomic"),
    "x-kubernetes-list-type": String("atomic, set or map.", keep_zero=True),
    "x-kubernetes-map-type": String("granular or atomic.", keep_zero=True),
    "x-kubernetes-validations": ListOf(Struct(ValidationRule), merge_key="rule"),
}
