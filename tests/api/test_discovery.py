"""What clients learn of the API from the API."""

from __future__ import annotations

import pytest

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def test_the_classic_documents_name_every_kind(api):
    assert api.get("/api")["versions"] == ["v1"]
    groups = {group["name"]: group for group in api.get("/apis")["groups"]}
    assert groups["apps"]["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    assert api.get("/apis/apps")["kind"] == "APIGroup"
    core = {each["name"]: each for each in api.get("/api/v1")["resources"]}
    assert core["pods"]["shortNames"] == ["po"]
    assert core["pods/log"]["verbs"] == ["get"]
    assert core["pods/eviction"]["group"] == "policy"
    apps = {each["name"]: each for each in api.get("/apis/apps/v1")["resources"]}
    assert apps["deployments/scale"]["kind"] == "Scale"
    assert all(each["singularName"] for name, each in {**core, **apps}.items() if "/" not in name)


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_aggregated_discovery_is_served_under_its_exact_type_only(api, path):
    answer = api.ask("GET", path, Accept=f"{AGGREGATED},application/json")
    assert answer.headers["Content-Type"] == AGGREGATED
    for group in answer.json["items"]:
        for version in group["versions"]:
            for resource in version["resources"]:
                assert resource["singularResource"]
                assert resource["responseKind"]["kind"]
    beta = AGGREGATED.replace("v=v2", "v=v2beta1")
    assert api.ask("GET", path, Accept=f"{beta},application/json").json["kind"] in (
        "APIVersions",
        "APIGroupList",
    )


@pytest.mark.parametrize(
    "path", ["/apis/nope", "/apis/apps/v9", "/api/v2", "/nowhere", "/api/v1/nopes", "/openapi/v2"]
)
def test_what_is_not_served_is_a_plain_404(api, path):
    answer = api.ask("GET", path)
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


def test_openapi_documents_are_named_by_their_hash_and_can_be_kept(api):
    index = api.get("/openapi/v3")["paths"]
    assert {"api/v1", "apis/apps/v1"} <= set(index)
    link = index["apis/apps/v1"]["serverRelativeURL"]
    answer = api.ask("GET", link)
    assert answer.status_code == 200
    assert "io.k8s.api.apps.v1.Deployment" in answer.json["components"]["schemas"]
    tag = answer.headers["ETag"]
    again = api.ask("GET", link, If_None_Match=tag)
    assert (again.status_code, again.data) == (304, b"")
    moved = api.ask("GET", "/openapi/v3/apis/apps/v1?hash=OLD")
    assert (moved.status_code, moved.headers["Location"].endswith(link)) == (301, True)


def test_the_version_is_that_of_the_kubernetes_api_served(api):
    version = api.get("/version")
    assert (version["major"], version["gitVersion"]) == ("1", "v1.36.0+beanpole")
