"""Every field that the official Python client knows is declared here, with the same type."""

from __future__ import annotations

import re

import pytest
from kubernetes.client import models

from app.schemas import fields, kinds

# Kinds whose model is not simply called V1<Kind>.
MODELS = {
    "io.k8s.api.rbac.v1.Subject": "RbacV1Subject",
    "io.k8s.api.core.v1.Event": "CoreV1Event",
    "io.k8s.api.core.v1.EventSeries": "CoreV1EventSeries",
    "io.k8s.api.core.v1.EndpointPort": "CoreV1EndpointPort",
    "io.k8s.api.core.v1.ResourceClaim": "CoreV1ResourceClaim",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference": "ApiextensionsV1ServiceReference",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig": "ApiextensionsV1WebhookClientConfig",
    "io.k8s.api.events.v1.Event": "EventsV1Event",
    "io.k8s.api.events.v1.EventSeries": "EventsV1EventSeries",
    "io.k8s.api.storage.v1.TokenRequest": "StorageV1TokenRequest",
    "io.k8s.api.discovery.v1.EndpointPort": "DiscoveryV1EndpointPort",
    "io.k8s.api.admissionregistration.v1.ServiceReference": "AdmissionregistrationV1ServiceReference",
    "io.k8s.api.admissionregistration.v1.WebhookClientConfig": "AdmissionregistrationV1WebhookClientConfig",
}
PLAIN = {
    "str": (fields.String, fields.Quantity),
    "int": (fields.Int32,),
    "float": (fields.Double,),
    "bool": (fields.Boolean,),
    "datetime": (fields.Time,),
    "bytes": (fields.Bytes,),
    "object": (fields.IntOrString, fields.Anything),
}


def every_schema():
    """All schema classes that kinds are made of."""
    found = {}

    def visit(inside):
        if inside is None:
            return
        if isinstance(inside, fields.Field):
            visit(inside.children())
        elif inside.openapi_name() not in found:
            found[inside.openapi_name()] = inside
            for field in inside.fields_of().values():
                visit(field.children())

    # Clients of Kubernetes itself have no models of the metrics API.
    known = [kind for kind in kinds.ALL if kind.group != "metrics.k8s.io"]
    for kind in (*known, kinds.SCALE, kinds.EVICTION, kinds.BINDING, kinds.DELETE_OPTIONS):
        visit(kind.schema)
    return found


SCHEMAS = every_schema()


def fits(field, type_name):
    """Whether a field holds what the client's type says."""
    nested = re.fullmatch(r"(List|Dict)\[(?:str, )?(.+)\]", type_name)
    if nested:
        outer = fields.ListOf if nested[1] == "List" else fields.MapOf
        return isinstance(field, outer) and fits(field.inner, nested[2])
    if isinstance(field, fields.Struct) and not field.schema.fields_of():
        return type_name == "object"
    if type_name in PLAIN:
        return isinstance(field, PLAIN[type_name])
    return isinstance(field, fields.Struct) and model_of(field.schema).__name__ == type_name


def model_of(schema):
    version = schema.package.rpartition(".")[2].capitalize()
    return getattr(models, MODELS.get(schema.openapi_name(), f"{version}{schema.__name__}"))


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_field_of_the_official_client_is_declared(name):
    schema = SCHEMAS[name]
    if not schema.fields_of():
        return  # the client has no model of what is only there or not
    model = model_of(schema)
    theirs = {model.attribute_map[attribute]: kind for attribute, kind in model.openapi_types.items()}
    ours = schema.fields_of()

    assert set(ours) == set(theirs)
    assert {key: kind for key, kind in theirs.items() if not fits(ours[key], kind)} == {}


def test_all_kinds_are_compared():
    assert len(SCHEMAS) > 150
    assert {"io.k8s.api.core.v1.PodSpec", "io.k8s.api.apps.v1.DeploymentSpec"} <= set(SCHEMAS)
