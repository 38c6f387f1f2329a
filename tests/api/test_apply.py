"""Server-side apply over HTTP: forms of the body, codes, refusals, and who is taken to write."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from werkzeug.test import TestResponse

from tests.api.conftest import CONFIGS, Api

APPLY = "application/apply-patch+yaml"
ONE = f"{CONFIGS}/a"


def config(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


def apply(
    api: Api, body: Any, query: str = "fieldManager=me", media: str = APPLY, path: str = ONE
) -> TestResponse:
    return api.ask("PATCH", f"{path}?{query}", body, Content_Type=media)


def managers(obj: Any) -> list[str]:
    return [entry["manager"] for entry in obj["metadata"]["managedFields"]]


def test_it_is_201_when_it_makes_the_object_and_200_after(api: Api) -> None:
    made = apply(api, config(k="1"))
    assert (made.status_code, made.json["data"]) == (201, {"k": "1"})
    assert apply(api, config(k="1")).status_code == 200
    assert apply(api, config(k="2")).json["data"] == {"k": "2"}


def test_a_dry_run_of_what_would_be_made_is_201_too(api: Api) -> None:
    assert apply(api, config(k="1"), "fieldManager=me&dryRun=All").status_code == 201
    assert api.ask("GET", ONE).status_code == 404


def test_the_body_may_be_yaml(api: Api) -> None:
    made = apply(api, yaml.safe_dump(config(k="yes: no")).encode())
    assert (made.status_code, made.json["data"]) == (201, {"k": "yes: no"})


@pytest.mark.parametrize("body", [b"{a: [", b"", b"- 1", b"a: &x 1\nb: *x", b"\xff", b'"text"', b"null"])
def test_what_is_no_configuration_is_400(api: Api, body: bytes) -> None:
    refused = apply(api, body)
    assert (refused.status_code, refused.json["reason"]) == (400, "BadRequest")


def test_nesting_without_end_is_400(api: Api) -> None:
    deep = b'{"a":' * 900 + b"1" + b"}" * 900
    assert apply(api, deep).status_code == 400


def test_cbor_is_415(api: Api) -> None:
    refused = apply(api, b"\xd9\xd9\xf7", media="application/apply-patch+cbor")
    assert refused.status_code == 415
    assert APPLY in refused.json["message"]


def test_without_a_field_manager_it_is_422(api: Api) -> None:
    refused = apply(api, config(k="1"), "")
    assert refused.status_code == 422
    assert refused.json["details"]["causes"] == [
        {
            "reason": "FieldValueRequired",
            "message": "Required value: is required for apply patch",
            "field": "fieldManager",
        }
    ]


def test_force_is_for_applies_only(api: Api) -> None:
    apply(api, config(k="1"))
    refused = api.ask("PATCH", f"{ONE}?force=true", {"data": {}}, Content_Type="application/merge-patch+json")
    assert refused.status_code == 422
    assert "force: Forbidden: may not be specified for non-apply patch" in refused.json["message"]


def test_a_conflict_is_409_with_its_causes(api: Api) -> None:
    apply(api, config(k="1"), "fieldManager=you")
    refused = apply(api, config(k="2"))
    assert (refused.status_code, refused.json["reason"]) == (409, "Conflict")
    assert refused.json["message"] == 'Apply failed with 1 conflict: conflict with "you": .data.k'
    assert refused.json["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "you"', "field": ".data.k"}
    ]
    assert apply(api, config(k="2"), "fieldManager=me&force=false").status_code == 409
    assert apply(api, config(k="2"), "fieldManager=me&force=true").json["data"] == {"k": "2"}


def test_who_names_no_manager_is_known_by_the_user_agent(api: Api) -> None:
    made = api.ask("POST", CONFIGS, config(k="1"), User_Agent="kubectl/v1.37.0 (linux/amd64)")
    assert managers(made.json) == ["kubectl"]
    other = api.ask(
        "PATCH", f"{ONE}?fieldManager=hand", {"data": {"l": "2"}}, Content_Type="application/merge-patch+json"
    )
    assert sorted(managers(other.json)) == ["hand", "kubectl"]


def test_clients_hear_what_has_one_owner(api: Api) -> None:
    schemas = api.get("/openapi/v3/api/v1")["components"]["schemas"]
    core = "io.k8s.api.core.v1"
    assert schemas["io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"]["x-kubernetes-map-type"] == "atomic"
    assert schemas[f"{core}.ServiceSpec"]["properties"]["selector"]["x-kubernetes-map-type"] == "atomic"
    ports = schemas[f"{core}.ServiceSpec"]["properties"]["ports"]
    assert ports["x-kubernetes-list-map-keys"] == ["port", "protocol"]
    assert schemas[f"{core}.PodSpec"]["properties"]["tolerations"]["x-kubernetes-list-type"] == "atomic"
    patch = api.get("/openapi/v3/api/v1")["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]
    assert APPLY in patch["requestBody"]["content"]
