from __future__ import annotations

import threading
from typing import Any

import orjson
import pytest

from app.base.errors import AlreadyExists, BadRequest, Forbidden, Invalid, NotFound
from app.registry.request import DeleteOptions
from app.schemas import kinds
from app.store.view import View


def pod(**meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", **meta}, "spec": {"containers": [{"name": "c", "image": "x"}]}}


def test_a_created_object_is_stored_completed_and_logged(world: Any) -> None:
    made = world.create("configmaps", {"metadata": {"name": "a"}, "data": {"k": "v"}})
    assert made == world.must("configmaps", "default/a")
    assert made["apiVersion"] == "v1"
    assert made["kind"] == "ConfigMap"
    assert made["metadata"]["namespace"] == "default"
    assert made["metadata"]["creationTimestamp"] == "2027-01-15T08:00:00Z"
    assert len(made["metadata"]["uid"]) == 36
    assert int(made["metadata"]["resourceVersion"]) == world.store.revision()
    view = View(world.store)
    view.catch_up()
    [change] = view.changes_since(view.revision - 1)
    assert (change.actor, change.trace.id, change.key) == ("alice", "t1", "default/a")


def test_what_a_client_may_not_say_is_overruled(world: Any) -> None:
    meta = {
        "name": "a", "uid": "mine", "creationTimestamp": "2000-01-01T00:00:00Z", "generation": 9, "selfLink": "/x",
        "managedFields": [{"manager": "m"}], "deletionTimestamp": "2000-01-01T00:00:00Z",
    }  # fmt: skip
    spec = {
        "selector": {"matchLabels": {"app": "a"}},
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": pod()["spec"]},
    }
    made = world.create("deployments.apps", {"metadata": meta, "spec": spec, "status": {"replicas": 5}})
    assert made["metadata"]["uid"] != "mine"
    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["creationTimestamp"].startswith("2027")
    assert not {"selfLink", "deletionTimestamp"} & made["metadata"].keys()
    assert "m" not in [entry["manager"] for entry in made["metadata"]["managedFields"]]
    assert made["status"] == {}
    assert made["spec"]["replicas"] == 1


def test_a_taken_name_is_refused(world: Any) -> None:
    world.create("configmaps", {"metadata": {"name": "a"}})
    before = world.store.revision()
    with pytest.raises(AlreadyExists, match=r'^configmaps "a" already exists$'):
        world.create("configmaps", {"metadata": {"name": "a"}})
    with pytest.raises(AlreadyExists):
        world.create("configmaps", {"metadata": {"name": "a"}}, dry_run=True)
    assert world.store.revision() == before


def test_of_many_that_create_one_name_at_once_exactly_one_succeeds(world: Any) -> None:
    outcomes: list[str] = []

    def work() -> None:
        try:
            outcomes.append(
                world.create("services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})[
                    "kind"
                ]
            )
        except AlreadyExists:
            outcomes.append("exists")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["Service", *["exists"] * 5]
    held = [claim for claim in world.store.claims() if claim.startswith("clusterIP/")]
    assert len(held) == 2  # the API's own, and that of the one that was created


def test_a_name_is_generated(world: Any) -> None:
    made = [world.create("configmaps", {"metadata": {"generateName": "a-"}}) for _ in range(3)]
    names = {m["metadata"]["name"] for m in made}
    assert len(names) == 3
    assert all(len(name) == 7 and name.startswith("a-") for name in names)


def test_a_generated_name_that_is_taken_again_and_again_is_given_up(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.registry.ids, "suffix", lambda: "bbbbb")
    world.create("configmaps", {"metadata": {"generateName": "a-"}})
    with pytest.raises(
        AlreadyExists, match="the server was not able to generate a unique name for the object"
    ):
        world.create("configmaps", {"metadata": {"generateName": "a-"}})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"metadata": {"name": "a", "namespace": "other"}}, "the namespace of the provided object does not match the namespace sent on the request"),
        ({"apiVersion": "apps/v1", "metadata": {"name": "a"}}, "the API version in the data (apps/v1) does not match the expected API version (v1)"),
        ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}, 'Secret in version "v1" cannot be handled as a ConfigMap'),
        ({"metadata": {"name": "a", "resourceVersion": "1"}}, "resourceVersion should not be set on objects to be created"),
        ({"kind": 1}, "couldn't get version/kind; json parse error: apiVersion and kind must be strings"),
        ([], "a ConfigMap must be a JSON object"),
        (None, "a ConfigMap must be a JSON object"),
    ],
)  # fmt: skip
def test_an_object_that_does_not_belong_here_is_refused(world: Any, raw: Any, message: str) -> None:
    before = world.store.revision()
    with pytest.raises(BadRequest) as refused:
        world.create("configmaps", raw)
    assert refused.value.message == message
    assert world.store.revision() == before


@pytest.mark.parametrize(
    "metadata", [{}, {"name": ""}, {"name": "UPPER"}, {"name": "a/b"}, {"name": "x" * 300}]
)
def test_an_object_needs_a_proper_name(world: Any, metadata: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        world.create("configmaps", {"metadata": metadata})
    assert any(cause.field == "metadata.name" for cause in refused.value.causes)


def test_unknown_fields_are_refused_warned_of_or_ignored(world: Any) -> None:
    raw = {"metadata": {"name": "a"}, "datta": {}, "immutable": False}
    kind = kinds.by_resource("configmaps")
    with pytest.raises(BadRequest, match='strict decoding error: unknown field "datta"'):
        world.create("configmaps", raw, field_validation="Strict")
    request = world.request(field_validation="Warn")
    made = orjson.loads(world.registry.create(request, kind, "default", raw))
    assert request.warnings == ['unknown field "datta"']
    assert "datta" not in made
    request = world.request(field_validation="Ignore")
    world.registry.create(request, kind, "default", {**raw, "metadata": {"name": "b"}})
    assert request.warnings == []


def test_nothing_is_created_in_a_namespace_that_is_not_there(world: Any) -> None:
    with pytest.raises(NotFound, match=r'^namespaces "nowhere" not found$'):
        world.create("configmaps", {"metadata": {"name": "a"}}, namespace="nowhere")


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_namespace_that_is_not_there_is_what_is_said_of_an_invalid_object_too(
    world: Any, dry_run: bool
) -> None:
    for name in ("a", "Not A Name"):
        with pytest.raises(NotFound, match=r'^namespaces "nowhere" not found$'):
            world.create("configmaps", {"metadata": {"name": name}}, namespace="nowhere", dry_run=dry_run)


def test_a_namespace_that_another_api_process_made_just_now_is_there(world: Any) -> None:
    other = world.another(2)
    other.create(world.request(), kinds.by_resource("namespaces"), "", {"metadata": {"name": "new"}})
    assert world.create("configmaps", {"metadata": {"name": "a"}}, namespace="new")


def test_nothing_is_created_in_a_namespace_that_goes(world: Any) -> None:
    made = world.create("namespaces", {"metadata": {"name": "going"}})
    assert made["spec"]["finalizers"] == ["kubernetes"]
    assert made["status"] == {"phase": "Active"}
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "going"}
    world.registry.delete(world.request(), kinds.by_resource("namespaces"), "", "going", DeleteOptions())
    with pytest.raises(Forbidden) as refused:
        world.create("pods", pod(), namespace="going")
    assert refused.value.message == (
        'pods "p" is forbidden: unable to create new content in namespace going because it is being terminated'
    )
    assert [cause.reason for cause in refused.value.causes] == ["NamespaceTerminating"]


def test_the_word_of_deletion_in_an_annotation_does_not_close_a_namespace(world: Any) -> None:
    world.create("namespaces", {"metadata": {"name": "odd", "annotations": {"deletionTimestamp": "no"}}})
    assert world.create("configmaps", {"metadata": {"name": "a"}}, namespace="odd")


def test_a_pod_is_admitted_with_all_it_needs_to_be_scheduled(world: Any) -> None:
    made = world.create("pods", {**pod(), "status": {"phase": "Running"}})
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    spec = made["spec"]
    assert spec["serviceAccountName"] == "default"
    assert spec["priority"] == 0
    assert [(t["key"], t["effect"], t["tolerationSeconds"]) for t in spec["tolerations"]] == [
        ("node.kubernetes.io/not-ready", "NoExecute", 30),
        ("node.kubernetes.io/unreachable", "NoExecute", 30),
    ]


def test_a_pod_may_come_with_its_node(world: Any) -> None:
    raw = pod()
    raw["spec"]["nodeName"] = "somewhere"
    assert world.create("pods", raw)["spec"]["nodeName"] == "somewhere"


def test_a_malformed_quantity_is_never_an_internal_error(world: Any) -> None:
    raw = pod()
    raw["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "lots"}}
    with pytest.raises((BadRequest, Invalid)):
        world.create("pods", raw)


def test_a_dry_run_answers_and_changes_nothing(world: Any) -> None:
    before = world.store.revision()
    made = world.create(
        "services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}, dry_run=True
    )
    assert made["spec"]["clusterIP"].startswith("10.96.")
    assert world.store.revision() == before
    assert world.get("services", "default/s") is None


def test_a_start_of_the_api_makes_what_every_cluster_has_and_a_second_changes_nothing(world: Any) -> None:
    from app.registry.bootstrap import bootstrap

    for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
        assert world.must("namespaces", name)["status"] == {"phase": "Active"}
    assert world.must("services", "default/kubernetes")["spec"]["clusterIP"] == "10.96.0.1"
    assert world.must("endpoints", "default/kubernetes")["subsets"][0]["addresses"] == [{"ip": "192.0.2.1"}]
    before = world.store.revision()
    bootstrap(world.another(7), "192.0.2.1", 6443)
    assert world.store.revision() == before
    bootstrap(world.another(8), "192.0.2.2", 6443)
    endpoints = world.must("endpointslices.discovery.k8s.io", "default/kubernetes")["endpoints"]
    assert [e["addresses"] for e in endpoints] == [["192.0.2.2"]]


def test_whoever_makes_what_has_no_effect_yet_is_warned(world: Any) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    request = world.request()

    kind = kinds.by_resource("networkpolicies.networking.k8s.io")
    world.registry.create(request, kind, "default", policy)

    assert request.warnings == ["NetworkPolicies are stored, but nothing in this cluster enforces them yet"]
