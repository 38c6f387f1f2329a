"""Small things that clients of Kubernetes rely on, each found by comparing with it."""

from __future__ import annotations

import pytest

NAMESPACE = "/api/v1/namespaces/default"
CONFIGS = f"{NAMESPACE}/configmaps"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def test_nobody_deletes_all_namespaces_at_once(api):
    assert api.ask("DELETE", "/api/v1/namespaces").status_code == 405
    [served] = [r for r in api.get("/api/v1")["resources"] if r["name"] == "namespaces"]
    assert "deletecollection" not in served["verbs"]


def test_across_namespaces_there_is_only_reading(api):
    api.config("a")

    assert api.ask("DELETE", "/api/v1/configmaps").status_code == 405
    assert [item["metadata"]["name"] for item in api.get("/api/v1/configmaps")["items"]] == ["a"]


def test_a_pod_is_bound_by_a_binding_of_its_name(api):
    api.create("/api/v1/nodes", {"metadata": {"name": "n1"}})
    container = {"name": "c", "image": "i"}
    api.create(f"{NAMESPACE}/pods", {"metadata": {"name": "p"}, "spec": {"containers": [container]}})

    answer = api.ask("POST", f"{NAMESPACE}/bindings", {"metadata": {"name": "p"}, "target": {"name": "n1"}})

    assert (answer.status_code, answer.json["status"]) == (201, "Success")
    assert api.get(f"{NAMESPACE}/pods/p")["spec"]["nodeName"] == "n1"
    assert api.ask("POST", f"{NAMESPACE}/bindings", {"target": {"name": "n1"}}).status_code == 400


def test_endpoints_come_with_a_warning_that_they_are_old(api):
    answer = api.ask("GET", f"{NAMESPACE}/endpoints")
    assert "v1 Endpoints is deprecated in v1.33+" in answer.headers["Warning"]


def test_aggregated_discovery_is_not_sent_again_to_who_has_it(api):
    first = api.ask("GET", "/apis", Accept=AGGREGATED)

    again = api.ask("GET", "/apis", Accept=AGGREGATED, If_None_Match=first.headers["ETag"])

    assert (again.status_code, again.data) == (304, b"")
    assert api.ask("GET", "/apis", Accept=AGGREGATED, If_None_Match='"other"').data == first.data


def test_a_list_is_refused_if_its_time_is_no_number(api):
    assert api.ask("GET", f"{CONFIGS}?timeoutSeconds=soon").status_code == 400


def test_only_the_old_way_of_asking_for_a_cascade_is_told_that_it_takes_time(api):
    for name in ("a", "b"):
        api.config(name, finalizers=["example.com/mine"])

    new = api.ask("DELETE", f"{CONFIGS}/a", {"propagationPolicy": "Foreground"})
    old = api.ask("DELETE", f"{CONFIGS}/b", {"orphanDependents": False})

    assert (new.status_code, old.status_code) == (200, 202)


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", CONFIGS, "CreateOptions"),
        ("PUT", f"{CONFIGS}/a", "UpdateOptions"),
        ("PATCH", f"{CONFIGS}/a", "PatchOptions"),
        ("DELETE", f"{CONFIGS}/a", "DeleteOptions"),
    ],
)
def test_wrong_parameters_are_named_after_the_verb(api, method, path, kind):
    answer = api.ask(method, f"{path}?dryRun=Some", {})
    assert answer.status_code == 422
    assert answer.json["message"].startswith(f'{kind}.meta.k8s.io "" is invalid: dryRun: Unsupported value')


def test_a_finalizer_of_a_built_in_kind_says_whose_it_is(api):
    answer = api.ask("POST", CONFIGS, {"metadata": {"name": "a", "finalizers": ["mine"]}})
    assert answer.status_code == 422
    assert answer.json["details"]["causes"] == [
        {
            "reason": "FieldValueInvalid",
            "message": 'Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
            "field": "metadata.finalizers[0]",
        }
    ]


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ({"op": "test", "path": "/data/name", "value": "b"}, "testing value /data/name failed: test failed"),
        (
            {"op": "remove", "path": "/data/x"},
            'remove operation does not apply: doc is missing path: "/data/x": missing value',
        ),
    ],
)
def test_a_json_patch_that_fails_says_where_and_shows_no_object(api, operation, why):
    api.config("a")
    answer = api.ask("PATCH", f"{CONFIGS}/a", [operation], Content_Type="application/json-patch+json")
    assert answer.status_code == 422
    assert answer.json["details"]["causes"] == [{"reason": "UnexpectedServerResponse", "message": why}]


TWICE = b"""{"metadata": {"name": "a"}, "data": {"x": "1", "y": "2", "x": "3"}, "data": {"x": "4"}}"""


def test_a_field_that_is_there_twice_is_refused_if_the_client_is_strict(api):
    answer = api.ask("POST", f"{CONFIGS}?fieldValidation=Strict", TWICE)
    assert answer.status_code == 400
    assert answer.json["message"] == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'duplicate field "data.x", duplicate field "data"'
    )


def test_a_field_that_is_there_twice_is_warned_of_or_not_as_the_client_asks(api):
    warned = api.ask("POST", f"{CONFIGS}?dryRun=All", TWICE)
    ignored = api.ask("POST", f"{CONFIGS}?dryRun=All&fieldValidation=Ignore", TWICE)

    assert warned.headers.getlist("Warning") == [
        '299 - "duplicate field \\"data.x\\""',
        '299 - "duplicate field \\"data\\""',
    ]
    assert (ignored.status_code, ignored.headers.getlist("Warning")) == (201, [])
