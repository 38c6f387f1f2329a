"""CustomResourceDefinitions for tests, as users write them."""

from __future__ import annotations

import copy
from typing import Any

Object = dict[str, Any]

CRONTABS = "crontabs.example.com"
DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"

SPEC: Object = {
    "type": "object",
    "required": ["cronSpec"],
    "x-kubernetes-validations": [
        {"rule": "!has(self.most) || self.replicas <= self.most", "message": "more replicas than most"}
    ],
    "properties": {
        "cronSpec": {"type": "string", "minLength": 1, "pattern": r"^(\S+ ){4}\S+$"},
        "image": {"type": "string", "default": "busybox"},
        "replicas": {"type": "integer", "minimum": 0, "maximum": 10, "default": 1},
        "most": {"type": "integer"},
        "mode": {"type": "string", "enum": ["a", "b"]},
        "note": {"type": "string", "nullable": True},
        "port": {"x-kubernetes-int-or-string": True},
        "fixed": {
            "type": "string",
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "may not change"}],
        },
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "sizes": {"type": "object", "additionalProperties": {"type": "integer"}},
        "parts": {
            "type": "array",
            "maxItems": 3,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "weight": {"type": "number", "default": 1}},
            },
        },
    },
}
STATUS: Object = {
    "type": "object",
    "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}},
}
SCHEMA: Object = {"type": "object", "required": ["spec"], "properties": {"spec": SPEC, "status": STATUS}}


def version(name: str = "v1", *, storage: bool = True, **more: Any) -> Object:
    """One version of a definition, with a status and scale."""
    below = {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }
    schema = {"openAPIV3Schema": copy.deepcopy(SCHEMA)}
    return {"name": name, "served": True, "storage": storage, "schema": schema, "subresources": below, **more}


def definition(*versions: Object, plural: str = "crontabs", kind: str = "CronTab", **spec: Any) -> Object:
    """A definition in the group example.com."""
    names = {"plural": plural, "kind": kind, "shortNames": ["ct"], "categories": ["all"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": list(versions) or [version()],
            **spec,
        },
    }


def with_schema(schema: Object, **more: Any) -> Object:
    """A definition of which only `spec.properties` of the schema matters."""
    whole = {"type": "object", "properties": {"spec": {"type": "object", "properties": schema}}}
    return definition(version(schema={"openAPIV3Schema": whole}, **more))


def crontab(name: str = "a", **spec: Any) -> Object:
    return {"metadata": {"name": name}, "spec": {"cronSpec": "* * * * *", **spec}}
