from __future__ import annotations

import re

import orjson
import pytest

from app.schemas import kinds, openapi

VERSIONS = [(group, version) for group, versions in kinds.groups().items() for version in versions]


def schema(group, name, version="v1"):
    return openapi.v3(group, version)["components"]["schemas"][name]


@pytest.mark.parametrize(("group", "version"), VERSIONS)
def test_a_document_refers_only_to_what_is_in_it(group, version):
    document = openapi.v3(group, version)
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', orjson.dumps(document).decode()))

    assert referred <= set(document["components"]["schemas"])


@pytest.mark.parametrize("kind", kinds.ALL, ids=lambda kind: kind.kind)
def test_every_kind_is_found_by_group_version_and_kind(kind):
    found = schema(kind.group, kind.schema.openapi_name(), kind.version)

    assert found["x-kubernetes-group-version-kind"] == [
        {"group": kind.group, "kind": kind.kind, "version": kind.version}
    ]
    assert found["description"]


@pytest.mark.parametrize(
    "kind", [kind for kind in kinds.ALL if "patch" in kind.verbs], ids=lambda kind: kind.kind
)
def test_every_kind_can_be_patched_with_field_validation(kind):
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else "/api/v1"
    place = "/namespaces/{namespace}" if kind.namespaced else ""
    patch = openapi.v3(kind.group, kind.version)["paths"][f"{root}{place}/{kind.plural}/{{name}}"]["patch"]

    assert {p["name"] for p in patch["parameters"]} >= {"fieldValidation", "fieldManager", "dryRun", "force"}
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]
    assert patch["x-kubernetes-group-version-kind"]["kind"] == kind.kind


def test_lists_say_how_they_merge():
    spec = schema("", "io.k8s.api.core.v1.PodSpec")["properties"]
    container = schema("", "io.k8s.api.core.v1.Container")["properties"]

    assert spec["containers"]["x-kubernetes-patch-merge-key"] == "name"
    assert spec["containers"]["x-kubernetes-patch-strategy"] == "merge"
    assert container["ports"]["x-kubernetes-list-map-keys"] == ["containerPort", "protocol"]
    assert spec["tolerations"]["x-kubernetes-list-type"] == "atomic"
    strategy = schema("apps", "io.k8s.api.apps.v1.DeploymentSpec")["properties"]["strategy"]
    assert strategy["x-kubernetes-patch-strategy"] == "retainKeys"


def test_types_are_those_of_the_fields():
    deployment = schema("apps", "io.k8s.api.apps.v1.DeploymentSpec")
    probe = schema("", "io.k8s.api.core.v1.HTTPGetAction")["properties"]

    assert deployment["required"] == ["selector", "template"]
    assert deployment["properties"]["replicas"]["format"] == "int32"
    assert probe["port"]["allOf"] == [
        {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.util.intstr.IntOrString"}
    ]
    assert probe["scheme"]["enum"] == ["HTTP", "HTTPS"]


def test_what_a_definition_holds_is_described_as_it_is():
    document = openapi.v3("apiextensions.k8s.io", "v1")["components"]["schemas"]
    package = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
    props = document[f"{package}.JSONSchemaProps"]["properties"]

    assert (props["maximum"]["type"], props["maximum"]["format"]) == ("number", "double")
    assert props["default"]["allOf"] == [{"$ref": f"#/components/schemas/{package}.JSON"}]
    assert props["items"]["allOf"] == [{"$ref": f"#/components/schemas/{package}.JSONSchemaPropsOrArray"}]
    assert "type" not in document[f"{package}.JSON"]
    assert "type" not in document[f"{package}.JSONSchemaPropsOrArray"]
    assert document[f"{package}.CustomResourceSubresources"]["properties"]["status"]["type"] == "object"


def test_an_operation_tells_every_way_in_which_it_ends_well():
    path = openapi.v3("", "v1")["paths"]["/api/v1/namespaces/{namespace}/configmaps"]

    assert list(path["post"]["responses"]) == ["200", "201", "202", "401"]
    assert list(path["get"]["responses"]) == ["200", "401"]
