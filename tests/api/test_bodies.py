"""Bodies and headers that are not what they should be."""

from __future__ import annotations

import json

import pytest

from app.api.body import MAX_DEPTH, check_depth
from app.base.errors import BadRequest

CONFIGS = "/api/v1/namespaces/default/configmaps"


def refusal(answer, code, reason):
    assert (answer.status_code, answer.json["kind"], answer.json["reason"]) == (code, "Status", reason), (
        answer.text
    )
    return answer.json["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"3",
        b"\xff\xfe{}",
        b'{"metadata":{"name":"\xc3\x28"}}',
        b'{"metadata": {"name": "a"}} trailing',
        b"[" * 50_000,
        b'{"data":' * 2_000 + b"1" + b"}" * 2_000,
        b'{"metadata":{"name":NaN}}',
        json.dumps({"metadata": {"name": "a", "annotations": {"x": "\ud800"}}}).encode(),
    ],
)
def test_what_is_not_an_object_is_a_bad_request(api, body):
    before = api.store.revision()
    refusal(api.ask("POST", CONFIGS, body), 400, "BadRequest")
    assert api.store.revision() == before


def test_malformed_json_is_refused_in_kubernetes_words(api):
    message = refusal(api.ask("POST", CONFIGS, b'{"metadata":'), 400, "BadRequest")
    assert message.startswith(
        "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: "
    )
    assert message.endswith('({"metadata":)')
    assert "<empty>" in refusal(api.ask("POST", CONFIGS, b""), 400, "BadRequest")


def test_another_kind_or_version_is_refused(api):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    assert "cannot be handled as a ConfigMap" in refusal(api.ask("POST", CONFIGS, secret), 400, "BadRequest")
    wrong = {"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "a"}}
    assert "does not match the expected API version (v1)" in refusal(
        api.ask("POST", CONFIGS, wrong), 400, "BadRequest"
    )


def test_too_large_a_body_is_refused(api):
    body = {"metadata": {"name": "a"}, "data": {"x": "y" * 100_001}}
    message = refusal(api.ask("POST", CONFIGS, body), 413, "RequestEntityTooLarge")
    assert message == "Request entity too large: limit is 100000"


@pytest.mark.parametrize("media", ["application/cbor", "text/plain", "application/xml"])
def test_other_media_types_are_refused_and_the_accepted_ones_named(api, media):
    message = refusal(api.ask("POST", CONFIGS, b"{}", Content_Type=media), 415, "UnsupportedMediaType")
    assert "application/json" in message
    assert "application/vnd.kubernetes.protobuf" in message


def test_an_unknown_patch_type_is_refused(api):
    api.config("a")
    refusal(
        api.ask("PATCH", f"{CONFIGS}/a", {}, Content_Type="application/json"), 415, "UnsupportedMediaType"
    )
    refusal(
        api.ask("PATCH", f"{CONFIGS}/a", b"{", Content_Type="application/merge-patch+json"), 400, "BadRequest"
    )


def test_only_protobuf_is_not_acceptable_but_json_beside_it_is(api):
    api.config("a")
    protobuf = "application/vnd.kubernetes.protobuf"
    refusal(api.ask("GET", f"{CONFIGS}/a", Accept=protobuf), 406, "NotAcceptable")
    for accept in (
        f"{protobuf},application/json",
        "*/*",
        "application/*",
        "text/html;q=0.9,application/json;q=0.1",
    ):
        assert api.get(f"{CONFIGS}/a", Accept=accept)["kind"] == "ConfigMap"


def test_yaml_that_stands_for_gigabytes_is_refused(api):
    bomb = b"a: &a [x,x]\nb: &b [*a,*a]\nmetadata: {name: a}\n"
    message = refusal(api.ask("POST", CONFIGS, bomb, Content_Type="application/yaml"), 400, "BadRequest")
    assert "aliases" in message
    deep = b"[" * 5_000
    refusal(api.ask("POST", CONFIGS, deep, Content_Type="application/yaml"), 400, "BadRequest")


@pytest.mark.parametrize("outer", [lambda inner: [0, inner, "[{"], lambda inner: {"a": "[{", "b": inner}])
def test_what_nests_as_deep_as_it_may_is_taken_and_no_deeper(outer):
    value = "[" * MAX_DEPTH
    for _ in range(MAX_DEPTH):
        check_depth(value)
        value = outer(value)
    check_depth(value)
    with pytest.raises(BadRequest, match="nested deeper than 200 levels"):
        check_depth(outer(value))


@pytest.mark.parametrize("number", ["-9223372036854775809", "18446744073709551616", "0x10000000000000000"])
def test_yaml_with_a_number_that_no_answer_could_hold_is_refused(api, number):
    body = f"metadata: {{name: a}}\nrevision: 1\ndata: {{anything: {number}}}".encode()
    path = "/apis/apps/v1/namespaces/default/controllerrevisions"
    message = refusal(api.ask("POST", path, body, Content_Type="application/yaml"), 400, "BadRequest")
    assert "Integer exceeds 64-bit range" in message


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("labelSelector=a%20b%20c", 400),
        ("fieldSelector=spec.nope%3D1", 400),
        ("limit=many", 400),
        ("continue=garbage", 400),
        ("resourceVersion=x", 422),
        ("resourceVersionMatch=Exact", 422),
        ("resourceVersionMatch=Nope&resourceVersion=1", 422),
        ("&".join(f"a{n}=1" for n in range(300)), 400),
        ("&".join(f"watch{n}=1" for n in range(300)), 400),
    ],
)
def test_query_parameters_that_make_no_sense_are_refused(api, query, code):
    answer = api.ask("GET", f"{CONFIGS}?{query}")
    assert (answer.status_code, answer.json["kind"]) == (code, "Status")


@pytest.mark.parametrize("query", ["dryRun=Some", "fieldValidation=Nope", "fieldManager=" + "x" * 200])
def test_options_of_a_write_are_checked(api, query):
    refusal(api.ask("POST", f"{CONFIGS}?{query}", {"metadata": {"name": "a"}}), 422, "Invalid")
