"""What each method does to a resource, and what is said when it can't."""

from __future__ import annotations

import pytest

CONFIGS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def deployment(name, replicas=1):
    container = {"name": "web", "image": "web:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }


def test_an_object_can_be_created_read_replaced_patched_and_deleted(api):
    made = api.config("a")
    assert api.get(f"{CONFIGS}/a") == made

    made["data"] = {"x": "1"}
    replaced = api.ask("PUT", f"{CONFIGS}/a", made)
    assert (replaced.status_code, replaced.json["data"]) == (200, {"x": "1"})

    patched = api.ask(
        "PATCH", f"{CONFIGS}/a", {"data": {"y": "2"}}, Content_Type="application/merge-patch+json"
    )
    assert (patched.status_code, patched.json["data"]) == (200, {"x": "1", "y": "2"})

    deleted = api.ask("DELETE", f"{CONFIGS}/a")
    assert (deleted.status_code, deleted.json["status"]) == (200, "Success")
    assert deleted.json["details"] == {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    assert api.ask("GET", f"{CONFIGS}/a").status_code == 404


def test_an_object_that_is_not_there_is_named_in_the_status(api):
    answer = api.ask("GET", f"{DEPLOYMENTS}/web")
    assert answer.status_code == 404
    assert answer.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'deployments.apps "web" not found',
        "reason": "NotFound",
        "details": {"name": "web", "group": "apps", "kind": "deployments"},
        "code": 404,
    }


def test_a_replaced_version_is_a_conflict(api):
    old = api.config("a")
    api.ask("PATCH", f"{CONFIGS}/a", {"data": {"y": "2"}}, Content_Type="application/merge-patch+json")
    answer = api.ask("PUT", f"{CONFIGS}/a", old)
    assert (answer.status_code, answer.json["reason"]) == (409, "Conflict")
    assert "the object has been modified" in answer.json["message"]


def test_a_list_is_spliced_and_carries_its_revision(api):
    made = [api.config(name, labels={"app": name}) for name in ("a", "b")]
    listed = api.get(CONFIGS)
    assert (listed["kind"], listed["apiVersion"], listed["items"]) == ("ConfigMapList", "v1", made)
    assert int(listed["metadata"]["resourceVersion"]) >= int(made[1]["metadata"]["resourceVersion"])
    assert api.get(f"{CONFIGS}?labelSelector=app%3Db")["items"] == made[1:]
    assert api.get(f"{CONFIGS}?fieldSelector=metadata.name%3Da")["items"] == made[:1]


def test_a_list_in_pieces_is_the_whole_list(api):
    for name in "abcde":
        api.config(name)
    names, token = [], ""
    for _ in range(3):
        piece = api.get(f"{CONFIGS}?limit=2&continue={token}")
        names += [each["metadata"]["name"] for each in piece["items"]]
        token = piece["metadata"].get("continue", "")
    assert (names, token) == (list("abcde"), "")


def test_a_table_and_partial_metadata_are_served_when_asked_for(api):
    api.config("a")
    table = api.get(CONFIGS, Accept=TABLE)
    assert table["kind"] == "Table"
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert [str(cell) for cell in table["rows"][0]["cells"][:2]] == ["a", "1"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    whole = api.get(f"{CONFIGS}/a?includeObject=Object", Accept=TABLE)
    assert whole["rows"][0]["object"]["data"] == {"name": "a"}
    partial = api.get(CONFIGS, Accept="application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")
    assert partial["kind"] == "PartialObjectMetadataList"
    assert "data" not in partial["items"][0]


@pytest.mark.parametrize("path", [f"{CONFIGS}/", "/api//v1/namespaces//default/configmaps"])
def test_extra_slashes_do_no_harm(api, path):
    assert api.get(path)["kind"] == "ConfigMapList"


def test_scale_reads_and_sets_the_replicas(api):
    api.create(DEPLOYMENTS, deployment("web", 3))
    scale = api.get(f"{DEPLOYMENTS}/web/scale")
    assert (scale["kind"], scale["spec"]) == ("Scale", {"replicas": 3})
    patched = api.ask(
        "PATCH",
        f"{DEPLOYMENTS}/web/scale",
        {"spec": {"replicas": 5}},
        Content_Type="application/merge-patch+json",
    )
    assert (patched.status_code, patched.json["spec"]) == (200, {"replicas": 5})
    assert api.get(f"{DEPLOYMENTS}/web")["spec"]["replicas"] == 5


def test_the_status_is_a_door_of_its_own(api):
    made = api.create(DEPLOYMENTS, deployment("web"))
    made["status"] = {"replicas": 7}
    made["spec"]["replicas"] = 9
    answer = api.ask("PUT", f"{DEPLOYMENTS}/web/status", made)
    assert answer.status_code == 200, answer.text
    assert (answer.json["status"]["replicas"], answer.json["spec"]["replicas"]) == (7, 1)


def test_a_collection_can_be_deleted_by_labels(api):
    for name in ("a", "b", "c"):
        api.config(name, labels={"keep": str(name == "b").lower()})
    answer = api.ask("DELETE", f"{CONFIGS}?labelSelector=keep%3Dfalse")
    assert (answer.status_code, answer.json["kind"]) == (200, "ConfigMapList")
    assert [each["metadata"]["name"] for each in api.get(CONFIGS)["items"]] == ["b"]


def test_a_dry_run_changes_nothing(api):
    answer = api.ask("POST", f"{CONFIGS}?dryRun=All", {"metadata": {"name": "a"}})
    assert answer.status_code == 201
    api.config("b")
    assert api.ask("DELETE", f"{CONFIGS}/b", {"kind": "DeleteOptions", "dryRun": ["All"]}).status_code == 200
    assert [each["metadata"]["name"] for each in api.get(CONFIGS)["items"]] == ["b"]


def test_an_unknown_field_is_a_warning_an_error_or_nothing(api):
    body = {"metadata": {"name": "a"}, "nonsense": 1}
    warned = api.ask("POST", f"{CONFIGS}?dryRun=All", body)
    assert warned.headers["Warning"] == '299 - "unknown field \\"nonsense\\""'
    strict = api.ask("POST", f"{CONFIGS}?fieldValidation=Strict", body)
    assert (strict.status_code, strict.json["reason"]) == (400, "BadRequest")
    assert 'strict decoding error: unknown field "nonsense"' in strict.json["message"]
    ignored = api.ask("POST", f"{CONFIGS}?fieldValidation=Ignore", body)
    assert (ignored.status_code, "Warning" in ignored.headers) == (201, False)


def test_yaml_is_taken_too(api):
    body = b"metadata:\n  name: a\ndata:\n  when: '2026-01-01'\n"
    assert api.ask("POST", CONFIGS, body, Content_Type="application/yaml").status_code == 201
    assert api.get(f"{CONFIGS}/a")["data"] == {"when": "2026-01-01"}


def test_a_missing_content_type_means_json(api):
    answer = api.app.test_client().post(
        CONFIGS, data=b'{"metadata":{"name":"a"}}', headers={"Authorization": "Bearer admin-token"}
    )
    assert answer.status_code == 201


def test_pretty_is_for_people(api):
    api.config("a")
    assert b'\n  "data": {' in api.ask("GET", f"{CONFIGS}/a?pretty=true").data


def test_a_head_request_is_a_get_without_its_body(api):
    api.config("a")
    answer = api.ask("HEAD", f"{CONFIGS}/a")
    assert (answer.status_code, answer.data) == (200, b"")
    assert api.ask("HEAD", f"{CONFIGS}?watch=true").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{CONFIGS}/a"),
        ("PUT", CONFIGS),
        ("OPTIONS", CONFIGS),
        ("POST", "/api/v1/configmaps"),
        ("PATCH", "/api"),
    ],
)
def test_a_method_that_makes_no_sense_is_refused_with_a_status(api, method, path):
    answer = api.ask(method, path, {})
    assert (answer.status_code, answer.json["reason"]) == (405, "MethodNotAllowed")


def test_every_answer_tells_the_trace_that_the_log_knows_it_by(api):
    answer = api.ask("POST", CONFIGS, {"metadata": {"name": "a"}})
    api.app.tail.view.catch_up()
    last = api.app.tail.view.changes_since(0)[-1]
    assert (last.key, last.trace.id) == ("default/a", answer.headers["Audit-Id"])
    assert last.actor == "admin"
