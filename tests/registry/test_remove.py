from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.base.errors import BadRequest, Conflict, Forbidden, Invalid, NotFound
from app.objects import selector_text
from app.registry.request import DeleteOptions, ListOptions
from app.schemas import kinds


def test_a_deleted_object_is_gone_and_the_answer_names_it(world: Any, make: Any) -> None:
    made = world.create("deployments.apps", make.deployment())
    removed = world.delete("deployments.apps", "web")
    assert removed.gone
    assert world.get("deployments.apps", "default/web") is None
    assert orjson.loads(removed.body) == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": "web", "group": "apps", "kind": "deployments", "uid": made["metadata"]["uid"]},
    }  # fmt: skip
    with pytest.raises(NotFound, match=r'^deployments\.apps "web" not found$'):
        world.delete("deployments.apps", "web")


def test_deleting_a_service_answers_with_the_service_and_frees_its_address(world: Any, make: Any) -> None:
    made = world.create("services", make.service(clusterIP="10.96.9.9"))
    body = orjson.loads(world.delete("services", "web").body)
    assert body["metadata"]["uid"] == made["metadata"]["uid"]
    assert (
        world.create("services", make.service("again", clusterIP="10.96.9.9"))["spec"]["clusterIP"]
        == "10.96.9.9"
    )


def test_a_bound_pod_is_only_marked_and_a_second_delete_may_shorten_its_time(world: Any, make: Any) -> None:
    world.create("pods", make.pod(nodeName="n1"))
    body = orjson.loads(world.delete("pods", "p").body)
    assert body["metadata"]["deletionGracePeriodSeconds"] == 30
    assert body["metadata"]["deletionTimestamp"] == "2027-01-15T08:00:30Z"
    before = world.store.revision()
    assert not world.delete("pods", "p", grace=40).gone
    assert world.store.revision() == before
    world.delete("pods", "p", grace=5)
    assert world.must("pods", "default/p")["metadata"]["deletionGracePeriodSeconds"] == 5
    assert world.delete("pods", "p", grace=0).gone
    assert world.get("pods", "default/p") is None


def test_a_pod_may_be_given_more_time_than_there_is(world: Any, make: Any) -> None:
    world.create("pods", make.pod(nodeName="n1"))
    world.delete("pods", "p", grace=2**63 - 1)

    going = world.must("pods", "default/p")["metadata"]
    assert going["deletionTimestamp"] < "9999"
    assert going["deletionGracePeriodSeconds"] == 2**63 // 10**9


def test_an_unbound_pod_goes_at_once(world: Any, make: Any) -> None:
    world.create("pods", make.pod())
    assert world.delete("pods", "p").gone
    assert world.get("pods", "default/p") is None


def test_foreground_and_orphan_leave_a_finalizer_for_the_garbage_collector(world: Any, make: Any) -> None:
    world.create("deployments.apps", make.deployment("a"))
    world.create("deployments.apps", make.deployment("b"))
    first = world.delete("deployments.apps", "a", propagation="Foreground")
    second = world.delete("deployments.apps", "b", propagation="Orphan")
    assert (first.gone, first.waiting, second.gone, second.waiting) == (False, False, False, False)
    assert world.must("deployments.apps", "default/a")["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert world.must("deployments.apps", "default/b")["metadata"]["finalizers"] == ["orphan"]


def test_preconditions_must_hold(world: Any, make: Any) -> None:
    made = world.create("configmaps", make.config_map())
    with pytest.raises(
        Conflict, match="the UID in the precondition \\(other\\) does not match the UID in record"
    ):
        world.delete("configmaps", "a", uid="other")
    with pytest.raises(Conflict, match="the ResourceVersion in the precondition \\(1\\) does not match"):
        world.delete("configmaps", "a", version="1")
    meta = made["metadata"]
    assert world.delete("configmaps", "a", uid=meta["uid"], version=meta["resourceVersion"]).gone


def test_delete_options_are_read_from_their_object() -> None:
    assert DeleteOptions.of(None) == DeleteOptions()
    raw = {
        "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 3, "propagationPolicy": "Foreground",
        "preconditions": {"uid": "u", "resourceVersion": "7"},
    }  # fmt: skip
    assert DeleteOptions.of(raw) == DeleteOptions(3, "Foreground", "u", "7")
    assert DeleteOptions.of({"orphanDependents": True}).propagation == "Orphan"
    assert DeleteOptions.of({"orphanDependents": False}).propagation == "Background"
    assert DeleteOptions.of({"gracePeriodSeconds": -5}).grace == 1


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        ([], BadRequest), ({"gracePeriodSeconds": "x"}, BadRequest), ({"kind": "Pod"}, BadRequest),
        ({"propagationPolicy": "Sideways"}, Invalid), ({"preconditions": {"uid": 1}}, BadRequest),
        ({"propagationPolicy": "Orphan", "orphanDependents": True}, Invalid),
    ],
)  # fmt: skip
def test_malformed_delete_options_are_refused(raw: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        DeleteOptions.of(raw)


def test_a_collection_goes_as_far_as_it_is_selected(world: Any, make: Any) -> None:
    for name in ("a", "b", "c"):
        raw = make.config_map(name)
        raw["metadata"]["labels"] = {"goes": "no" if name == "c" else "yes"}
        world.create("configmaps", raw)
    which = ListOptions(labels=selector_text.parse("goes=yes"))
    kind = kinds.by_resource("configmaps")
    body = world.registry.delete_collection(world.request(), kind, "default", which, DeleteOptions())
    assert [item["metadata"]["name"] for item in orjson.loads(body)["items"]] == ["a", "b"]
    assert world.names("configmaps", "default") == ["c"]


def test_a_namespace_goes_when_its_content_is_gone(world: Any) -> None:
    world.create("namespaces", {"metadata": {"name": "x"}})
    body = orjson.loads(world.delete("namespaces", "x").body)
    assert body["status"]["phase"] == "Terminating"
    world.patch("namespaces", "x", {"spec": {"finalizers": []}})
    marked = world.must("namespaces", "x")
    assert marked["spec"]["finalizers"] == ["kubernetes"]
    world.registry.finalize(world.request(), "x", {**marked, "spec": {"finalizers": []}})
    assert world.get("namespaces", "x") is None


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_namespaces_that_no_cluster_can_be_without_stay(world: Any, name: str) -> None:
    with pytest.raises(
        Forbidden, match=f'^namespaces "{name}" is forbidden: this namespace may not be deleted$'
    ):
        world.delete("namespaces", name)
    assert world.must("namespaces", name)["status"] == {"phase": "Active"}


def test_an_evicted_pod_is_deleted_as_its_eviction_says(world: Any, make: Any) -> None:
    world.create("pods", make.pod(nodeName="n1"))
    eviction = {"metadata": {"name": "p"}, "deleteOptions": {"gracePeriodSeconds": 7}}
    status = orjson.loads(world.registry.evict(world.request(), "default", "p", eviction))
    assert status["status"] == "Success"
    assert world.must("pods", "default/p")["metadata"]["deletionGracePeriodSeconds"] == 7


def test_a_job_leaves_its_pods_behind_unless_the_client_says_otherwise(world: Any) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}}
    for name in ("a", "b"):
        world.create("jobs.batch", {"metadata": {"name": name}, "spec": {"template": template}})
    request = world.request()
    kind = kinds.by_resource("jobs.batch")
    world.registry.delete(request, kind, "default", "a", DeleteOptions())
    assert world.must("jobs.batch", "default/a")["metadata"]["finalizers"] == ["orphan"]
    assert request.warnings == [
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them "
        "or set propagationPolicy=Orphan to suppress this warning"
    ]
    world.delete("jobs.batch", "b", propagation="Background")
    assert world.get("jobs.batch", "default/b") is None
