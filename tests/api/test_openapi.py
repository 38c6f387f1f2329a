"""OpenAPI v2, and what else kubectl asks before it applies a List or a kind that isn't served."""

from __future__ import annotations

import pytest

PATH = "/openapi/v2"
ASKED = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
SENT = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
CUSTOM_KINDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.mark.parametrize("accept", [ASKED, SENT, f"application/json;q=0.5, {ASKED};q=1"])
def test_the_v2_document_is_sent_in_protobuf(api, accept):
    answer = api.ask("GET", PATH, Accept=accept)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, SENT)
    assert answer.data.startswith(b"\x0a\x032.0")
    assert b"io.k8s.api.apps.v1.Deployment" in answer.data


def test_the_v2_document_need_not_be_sent_twice(api):
    tag = api.ask("GET", PATH, Accept=ASKED).headers["ETag"]
    again = api.ask("GET", PATH, Accept=ASKED, If_None_Match=tag)
    other = api.ask("GET", PATH, Accept=ASKED, If_None_Match='"OTHER"')

    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert other.status_code == 200


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/vnd.kubernetes.protobuf"])
def test_the_v2_document_is_not_served_in_other_forms(api, accept):
    answer = api.ask("GET", PATH, Accept=accept)

    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


def test_a_new_cluster_has_no_custom_kinds(api):
    found = api.get(CUSTOM_KINDS)

    assert (found["kind"], found["items"]) == ("CustomResourceDefinitionList", [])


@pytest.mark.parametrize("path", [PATH, CUSTOM_KINDS])
def test_only_known_users_may_ask(api, path):
    assert api.ask("GET", path, token="", Accept=ASKED).status_code == 401
