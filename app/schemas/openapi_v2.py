"""The OpenAPI v2 document: all that the v3 documents say, in one and in the older form.

kubectl asks for it when the v3 documents don't settle how to check an object: one of `kind: List`, or of a kind
that isn't served. It is sent in protobuf only, see `app.schemas.protobuf.openapi`. Kubernetes describes it at
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.schemas import kinds, openapi
from app.schemas.custom.openapi import in_v2
from app.schemas.kind import Kind

Document = dict[str, Any]

_METHODS = ("get", "put", "post", "delete", "patch")
_V3_REFERENCE = "#/components/schemas/"
_KIND = "x-kubernetes-group-version-kind"
_V2_REFERENCE = "#/definitions/"


def v2(custom: Sequence[Kind] = ()) -> Document:
    """The document of all groups and versions, and of custom resources. Made anew at each call: what is made of it is
    worth keeping."""
    paths: Document = {}
    definitions: Document = {}
    documents = [
        openapi.v3(group, version) for group, versions in kinds.groups().items() for version in versions
    ]
    # Of a custom resource the older form can't say everything.
    own = {kind.openapi_name for kind in custom}
    for kind in custom:
        documents.append(openapi.of_kinds([kind]))
    for document in documents:
        for path, item in document["paths"].items():
            paths[path] = _path(item)
        for name, found in document["components"]["schemas"].items():
            # A kind that stands inside another is described by other groups too, but not as a kind.
            if _KIND in definitions.get(name, ()) and _KIND not in found:
                continue
            definitions[name] = in_v2(found) if name in own else _schema(found)
    return {
        "swagger": "2.0",
        "info": {"title": "Beanpole", "version": "unversioned"},
        "paths": dict(sorted(paths.items())),
        "definitions": dict(sorted(definitions.items())),
    }


def _path(item: Document) -> Document:
    made: Document = {method: _operation(item[method]) for method in _METHODS if method in item}
    made["parameters"] = [_parameter(each) for each in item["parameters"]]
    return made


def _operation(operation: Document) -> Document:
    made = {name: value for name, value in operation.items() if name not in ("requestBody", "responses")}
    made["parameters"] = [_parameter(each) for each in operation["parameters"]]
    body = operation.get("requestBody")
    if body:
        made["consumes"] = list(body["content"])
        first = next(iter(body["content"].values()))
        made["parameters"].insert(
            0,
            {
                "name": "body",
                "in": "body",
                "required": body.get("required", False),
                "schema": _schema(first["schema"]),
            },
        )
    made["responses"] = {}
    for code, answer in operation["responses"].items():
        made["responses"][code] = {"description": answer["description"]}
        if "content" in answer:
            made["produces"] = list(answer["content"])
            first = next(iter(answer["content"].values()))
            made["responses"][code]["schema"] = _schema(first["schema"])
    return made


def _parameter(parameter: Document) -> Document:
    """A parameter of the query or the path: what v3 says of it in a schema, v2 says of itself."""
    return {**{name: value for name, value in parameter.items() if name != "schema"}, **parameter["schema"]}


def _schema(schema: Document) -> Document:
    """A schema of v3 in v2: no `allOf` around a reference, and `oneOf` is not known."""
    made: Document = {}
    for name, value in schema.items():
        if name == "$ref":
            made[name] = _V2_REFERENCE + value.removeprefix(_V3_REFERENCE)
        elif name == "allOf":
            (only,) = value
            made.update(_schema(only))
        elif name == "oneOf":
            # As Kubernetes writes quantities and the like in v2; kubectl takes numbers for strings.
            made["type"] = "string"
        elif name in ("items", "additionalProperties"):
            made[name] = _schema(value)
        elif name == "properties":
            made[name] = {key: _schema(each) for key, each in value.items()}
        else:
            made[name] = value
    return made
