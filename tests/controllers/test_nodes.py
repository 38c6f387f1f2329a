"""A node that falls silent: conditions, taints, its pods; eviction; and what is left when it is gone."""

from __future__ import annotations

from typing import Any

import pytest

from app.base.clock import rfc3339, rfc3339_micro
from app.objects import conditions, pods
from tests.controllers.worlds import World, node, pod, replica_set
from workers.controllers import endpoints, node_lifecycle, pod_garbage, replicaset, taint_eviction

LEASE = "kube-node-lease/n1"
LEASES = "leases.coordination.k8s.io"


@pytest.fixture
def world() -> World:
    world = World(
        [node_lifecycle.role(20), taint_eviction.ROLE, pod_garbage.ROLE, replicaset.role(30), endpoints.ROLE]
    )
    world.put("nodes", node("n1"))
    renew(world)
    world.settle()
    return world


def renew(world: World) -> None:
    body = {
        "metadata": {"name": "n1", "namespace": "kube-node-lease"},
        "spec": {"renewTime": rfc3339_micro(world.now)},
    }
    world.put(LEASES, body)


def report(world: World, ready: str = "True") -> None:
    """What the agent says of its node when it is back."""

    def change(obj: Any) -> None:
        obj["status"]["conditions"] = [
            {"type": "Ready", "status": ready, "lastHeartbeatTime": rfc3339(world.now)}
        ]

    world.edit("nodes", "n1", change)


def get(world: World) -> Any:
    return world.get("nodes", "n1")


def given_taints(world: World) -> set[tuple[str, str]]:
    return {(t["key"].rpartition("/")[2], t["effect"]) for t in get(world)["spec"].get("taints") or ()}


def run_pod(world: World, name: str, **spec: Any) -> str:
    world.put("pods", pod(name, "n1", **spec))
    world.make_ready(f"default/{name}")
    return f"default/{name}"


def deleting(world: World, key: str) -> bool:
    found = world.get("pods", key)
    return found is None or bool(found["metadata"].get("deletionTimestamp"))


def test_a_node_that_renews_its_lease_is_left_alone(world: World) -> None:
    for _ in range(10):
        world.advance(10)
        renew(world)
        world.settle()
    assert conditions.is_true(get(world), "Ready")
    assert given_taints(world) == set()


def test_a_silent_node_becomes_unknown_and_tainted(world: World) -> None:
    world.advance(19)
    assert conditions.is_true(get(world), "Ready")
    world.advance(2)
    ready = conditions.get(get(world), "Ready")
    assert ready is not None
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert conditions.get(get(world), "MemoryPressure")["status"] == "Unknown"  # type: ignore[index]
    assert given_taints(world) == {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}
    assert [e.message for e in world.events if e.regarding["kind"] == "Node"] == [
        "Node n1 status is now: NodeNotReady"
    ]


def test_after_a_time_when_nobody_looked_a_node_has_its_grace_again(world: World) -> None:
    world.now += 3600
    world.run("node-controller", "n1")
    assert conditions.is_true(get(world), "Ready")
    world.advance(10)
    renew(world)
    world.run("node-controller", "n1")
    assert conditions.is_true(get(world), "Ready")
    assert "annotations" not in get(world)["metadata"]
    world.now += 3600
    world.run("node-controller", "n1")
    world.advance(19)
    assert conditions.is_true(get(world), "Ready")
    world.advance(2)
    assert not conditions.is_true(get(world), "Ready")


def test_the_pods_of_a_silent_node_leave_their_endpoints_at_once(world: World) -> None:
    world.put(
        "services",
        {
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        },
    )
    key = run_pod(world, "a")
    world.settle()
    world.advance(21)
    found = world.get("pods", key)
    assert found is not None
    assert not pods.is_ready(found)
    (slice_,) = world.list("endpointslices.discovery.k8s.io")
    assert slice_["endpoints"][0]["conditions"]["ready"] is False


def test_a_node_that_comes_back_loses_its_taints(world: World) -> None:
    world.advance(21)
    renew(world)
    report(world)
    world.settle()
    assert given_taints(world) == set()
    world.advance(19)
    assert conditions.is_true(get(world), "Ready")
    world.advance(2)
    assert not conditions.is_true(get(world), "Ready")


def test_a_node_that_says_it_is_not_ready_is_tainted_so(world: World) -> None:
    key = run_pod(world, "a")
    report(world, "False")
    world.settle()
    assert given_taints(world) == {("not-ready", "NoSchedule"), ("not-ready", "NoExecute")}
    # The agent still speaks: what it says of its pods afterwards stands.
    world.make_ready(key)
    world.settle()
    assert pods.is_ready(world.get("pods", key))  # type: ignore[arg-type]


def test_a_new_node_is_kept_free_until_it_says_that_it_is_ready(world: World) -> None:
    world.put("nodes", {"metadata": {"name": "n2"}, "spec": {}, "status": {}})
    world.settle()
    fresh = world.get("nodes", "n2") or {}
    assert {t["key"] for t in fresh["spec"]["taints"]} == {"node.kubernetes.io/not-ready"}
    assert world.events == []
    ready = [{"type": "Ready", "status": "True", "lastHeartbeatTime": rfc3339(world.now)}]
    world.edit("nodes", "n2", lambda n: n["status"].update(conditions=ready))
    world.settle()
    assert "taints" not in (world.get("nodes", "n2") or {})["spec"]


def test_a_cordoned_node_gets_and_loses_its_taint(world: World) -> None:
    world.edit("nodes", "n1", lambda n: n["spec"].update(unschedulable=True))
    world.settle()
    assert given_taints(world) == {("unschedulable", "NoSchedule")}
    world.edit("nodes", "n1", lambda n: n["spec"].pop("unschedulable"))
    world.settle()
    assert given_taints(world) == set()


def test_a_node_that_is_short_of_something_is_tainted_until_it_no_longer_is(world: World) -> None:
    def short(*found: str) -> None:
        def change(obj: Any) -> None:
            obj["status"]["conditions"] = [
                {"type": "Ready", "status": "True", "lastHeartbeatTime": rfc3339(world.now)},
                *({"type": name, "status": "True"} for name in found),
            ]

        world.edit("nodes", "n1", change)
        world.settle()

    short("MemoryPressure", "DiskPressure")
    assert given_taints(world) == {("memory-pressure", "NoSchedule"), ("disk-pressure", "NoSchedule")}
    short("PIDPressure")
    assert given_taints(world) == {("pid-pressure", "NoSchedule")}
    short()
    assert given_taints(world) == set()


def test_the_taints_of_others_stay(world: World) -> None:
    world.edit(
        "nodes",
        "n1",
        lambda n: n["spec"].update(taints=[{"key": "team", "value": "a", "effect": "NoSchedule"}]),
    )
    world.settle()
    world.advance(21)
    assert ("team", "NoSchedule") in given_taints(world)
    assert len(given_taints(world)) == 3


def test_pods_of_a_silent_node_are_replaced_after_their_patience(world: World) -> None:
    world.put("replicasets.apps", replica_set(replicas=1))
    world.settle()
    (name,) = [p["metadata"]["name"] for p in world.list("pods")]
    world.edit("pods", f"default/{name}", lambda p: p["spec"].update(nodeName="n1"))
    world.make_ready(f"default/{name}")
    world.settle()
    world.advance(21)
    world.advance(28)
    assert not deleting(world, f"default/{name}")
    world.advance(4)
    assert deleting(world, f"default/{name}")
    # It hangs there, as nobody can end it; its replacement doesn't wait.
    assert len([p for p in world.list("pods") if pods.is_active(p)]) == 1
    assert "TaintManagerEviction" in [e.reason for e in world.events]


def test_a_no_execute_taint_evicts_who_does_not_tolerate_it(world: World) -> None:
    tolerant = run_pod(world, "tolerant", tolerations=[{"key": "gone", "operator": "Exists"}])
    patient = run_pod(
        world, "patient", tolerations=[{"key": "gone", "operator": "Exists", "tolerationSeconds": 60}]
    )
    other = run_pod(world, "other")
    world.edit("nodes", "n1", lambda n: n["spec"].update(taints=[{"key": "gone", "effect": "NoExecute"}]))
    world.settle()
    assert [deleting(world, k) for k in (tolerant, patient, other)] == [False, False, True]
    for _ in range(7):
        renew(world)
        world.advance(10)
    assert [deleting(world, k) for k in (tolerant, patient)] == [False, True]
    assert conditions.is_true(world.get("pods", patient) or {}, "DisruptionTarget")


def test_patience_ends_with_the_taint(world: World) -> None:
    patient = run_pod(
        world, "patient", tolerations=[{"key": "gone", "operator": "Exists", "tolerationSeconds": 60}]
    )
    world.edit("nodes", "n1", lambda n: n["spec"].update(taints=[{"key": "gone", "effect": "NoExecute"}]))
    world.settle()
    world.edit("nodes", "n1", lambda n: n["spec"].pop("taints"))
    world.settle()
    for _ in range(10):
        renew(world)
        world.advance(10)
    assert not deleting(world, patient)


def test_the_pods_of_a_removed_node_go_for_good(world: World) -> None:
    key = run_pod(world, "a")
    world.remove("nodes", "n1")
    world.settle()
    assert world.get("pods", key) is None


def test_a_pod_bound_to_no_such_node_goes(world: World) -> None:
    world.put("pods", pod("a", "nowhere"))
    world.settle()
    assert world.list("pods") == []


def test_pods_ending_on_a_node_vouched_to_be_off_go_for_good(world: World) -> None:
    key = run_pod(world, "a")
    world.advance(60)
    assert deleting(world, key)
    assert world.get("pods", key) is not None
    world.edit(
        "nodes",
        "n1",
        lambda n: n["spec"]["taints"].append(
            {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}
        ),
    )
    world.settle()
    assert world.get("pods", key) is None


def test_only_so_many_finished_pods_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_garbage, "MOST_FINISHED", 2)
    for number in range(4):
        world.now += 1
        key = run_pod(world, f"p{number}")
        world.edit("pods", key, lambda p: p["status"].update(phase="Succeeded"))
    world.run("pod-garbage-collector", "finished")
    assert [p["metadata"]["name"] for p in world.list("pods")] == ["p2", "p3"]
