"""What OpenAPI says of a custom resource: the schema of its definition, with what all objects have.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#publish-validation-schema-in-openapi
"""

from __future__ import annotations

from typing import Any

from app.objects.change import Object
from app.schemas.custom.schema import CustomSchema

Document = dict[str, Any]

_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_IDENTITY: Document = {
    "apiVersion": {"type": "string", "description": "Version of the API that the object is written in."},
    "kind": {"type": "string", "description": "Kind of the object."},
}
# What OpenAPI v2 has of a schema.
_OF_V2 = ("description", "type", "format", "enum", "required", "default")


def published(schema: CustomSchema) -> Document:
    """The schema of its objects, for OpenAPI v3. Refers to ObjectMeta."""
    given = schema.given
    meta = {
        "allOf": [{"$ref": f"#/components/schemas/{_META}"}],
        "description": "Name, labels and bookkeeping.",
    }
    properties = {**(given.get("properties") or {}), **_IDENTITY, "metadata": meta}
    return {**given, "properties": properties}


def in_v2(document: Document) -> Document:
    """The same for OpenAPI v2, which knows less: what is left out there is still checked by the server."""
    if "$ref" in document:
        return {"$ref": document["$ref"].replace("#/components/schemas/", "#/definitions/")}
    if list(document.get("allOf") or ())[:1] and "$ref" in document["allOf"][0]:
        return in_v2(document["allOf"][0])
    made: Document = {name: document[name] for name in _OF_V2 if document.get(name) is not None}
    made.update((name, value) for name, value in document.items() if name.startswith("x-") and _short(name))
    if document.get("x-kubernetes-preserve-unknown-fields") or document.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    properties: Object = document.get("properties") or {}
    if properties:
        made["properties"] = {name: in_v2(each) for name, each in properties.items()}
    for name in ("items", "additionalProperties"):
        if isinstance(document.get(name), dict):
            made[name] = in_v2(document[name])
    return made


def _short(name: str) -> bool:
    return name != "x-kubernetes-validations"
