from __future__ import annotations

from typing import Any

import pytest

from app.base.clock import rfc3339
from app.objects import pods
from app.objects.change import Object
from tests.controllers.worlds import START, World, node, pod, replica_set
from workers.controllers import replicaset
from workers.reconcile.plan import Refusal

KEY = "default/web"


@pytest.fixture
def world() -> World:
    return World([replicaset.role(30)])


def names(world: World) -> set[str]:
    return {p["metadata"]["name"] for p in world.list("pods") if pods.is_active(p)}


def status(world: World) -> Object:
    found = world.get("replicasets.apps", KEY)
    assert found is not None
    return dict(found["status"])


def test_missing_pods_are_created_as_admission_would_leave_them(world: World) -> None:
    rs = world.put("replicasets.apps", replica_set())
    world.settle()
    assert len(names(world)) == 3
    one = world.list("pods")[0]
    assert one["metadata"]["generateName"] == "web-"
    assert one["metadata"]["name"].startswith("web-")
    assert len(one["metadata"]["name"]) == 9
    assert one["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": rs["metadata"]["uid"],
            "controller": True, "blockOwnerDeletion": True,
        }
    ]  # fmt: skip
    assert [t["tolerationSeconds"] for t in one["spec"]["tolerations"]] == [30, 30]
    assert one["spec"]["serviceAccountName"] == "default"
    assert one["status"] == {"phase": "Pending", "qosClass": "Burstable"}
    created = sorted(e.message for e in world.events)
    assert created == sorted(f"Created pod: {name}" for name in names(world))


def test_the_status_counts_ready_and_available_pods(world: World) -> None:
    world.put("replicasets.apps", replica_set(minReadySeconds=10))
    world.settle()
    for name in sorted(names(world))[:2]:
        world.make_ready(f"default/{name}")
    world.settle()
    assert status(world) == {
        "replicas": 3, "fullyLabeledReplicas": 3, "readyReplicas": 2, "observedGeneration": 1,
        "terminatingReplicas": 0,
    }  # fmt: skip
    world.advance(10)
    assert status(world)["availableReplicas"] == 2


def test_the_status_counts_pods_that_are_on_their_way_out(world: World) -> None:
    world.put("replicasets.apps", replica_set(replicas=2))
    world.settle()
    name = sorted(names(world))[0]
    ending = {"deletionTimestamp": rfc3339(START), "deletionGracePeriodSeconds": 30}
    world.edit("pods", f"default/{name}", lambda p: p["metadata"].update(ending))
    world.settle()
    assert (status(world)["replicas"], status(world)["terminatingReplicas"]) == (2, 1)

    world.remove("pods", f"default/{name}")
    world.settle()
    assert status(world)["terminatingReplicas"] == 0


def test_pods_that_are_refused_are_told_of_until_all_are_there(world: World) -> None:
    world.put("replicasets.apps", replica_set(replicas=2))
    plan = world.plan("replicaset-controller", KEY)
    role = world.roles["replicaset-controller"]
    assert role.refused is not None
    refusals = [Refusal(write, "exceeded quota: q") for write in plan.writes if write.resource == "pods"]
    world.commit(role.refused(world, KEY, refusals, world.now))
    (condition,) = status(world)["conditions"]
    assert (condition["type"], condition["status"], condition["reason"], condition["message"]) == (
        "ReplicaFailure",
        "True",
        "FailedCreate",
        "exceeded quota: q",
    )
    before = world.revision
    world.commit(role.refused(world, KEY, refusals, world.now))
    assert world.revision == before

    world.settle()
    assert "conditions" not in status(world)


def test_a_deleted_pod_is_replaced_before_it_is_gone(world: World) -> None:
    world.put("replicasets.apps", replica_set(replicas=1))
    world.settle()
    (name,) = names(world)
    world.edit(
        "pods",
        f"default/{name}",
        lambda p: p["metadata"].update(deletionTimestamp=rfc3339(START), deletionGracePeriodSeconds=30),
    )
    world.settle()
    assert len(names(world)) == 1
    assert name not in names(world)
    assert len(world.list("pods")) == 2


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_is_done_is_replaced_and_kept(world: World, phase: str) -> None:
    world.put("replicasets.apps", replica_set(replicas=1))
    world.settle()
    (name,) = names(world)
    world.edit("pods", f"default/{name}", lambda p: p["status"].update(phase=phase))
    world.settle()
    assert len(world.list("pods")) == 2
    assert len(names(world)) == 1


def test_the_same_plan_twice_creates_no_pod_twice(world: World) -> None:
    world.put("replicasets.apps", replica_set())
    plan = world.plan("replicaset-controller", KEY)
    world.carry_out("replicaset-controller", KEY, plan)
    assert len(world.commit(plan.writes)) >= 3
    assert len(names(world)) == 3


def test_orphans_are_adopted_and_strangers_released(world: World) -> None:
    world.put("pods", pod("loose"))
    world.put("pods", pod("other", app="other"))
    world.put("replicasets.apps", replica_set(replicas=2))
    world.settle()
    assert "loose" in names(world)
    assert len(names(world)) == 3
    assert world.get("pods", "default/loose")["metadata"]["ownerReferences"][0]["name"] == "web"  # type: ignore[index]
    world.edit("pods", "default/loose", lambda p: p["metadata"].update(labels={"app": "none"}))
    world.settle()
    assert "ownerReferences" not in world.get("pods", "default/loose")["metadata"]  # type: ignore[index]
    assert len(names(world)) == 4


def test_a_surplus_orphan_is_adopted_then_a_victim_is_found(world: World) -> None:
    world.put("replicasets.apps", replica_set(replicas=1))
    world.settle()
    (own,) = names(world)
    world.make_ready(f"default/{own}")
    world.settle()
    world.put("pods", pod("loose"))
    world.settle()
    assert names(world) == {own}


def grow(obj: Any, **fields: Any) -> None:
    obj["spec"].update(fields)


def surplus(world: World, changes: dict[str, Any]) -> str:
    """Which of two pods goes when one is enough; `changes` are made to the one that should."""
    world.put("nodes", node("n"))
    world.put("replicasets.apps", replica_set(replicas=2))
    world.settle()
    first, second = sorted(names(world))
    for name in (first, second):
        world.edit("pods", f"default/{name}", lambda p: p["spec"].update(nodeName="n"))
        world.make_ready(f"default/{name}")

    def change(p: Any) -> None:
        for path, value in changes.items():
            part, _, field = path.partition(".")
            p.setdefault(part, {})[field] = value

    world.edit("pods", f"default/{first}", change)
    world.now += 100
    world.edit("replicasets.apps", KEY, lambda rs: grow(rs, replicas=1))
    world.settle()
    assert names(world) in ({first}, {second})
    return "changed" if names(world) == {second} else "other"


@pytest.mark.parametrize(
    "changes",
    [
        {"spec.nodeName": ""},
        {"status.phase": "Pending"},
        {"status.conditions": []},
        {"metadata.annotations": {"controller.kubernetes.io/pod-deletion-cost": "-5"}},
        {
            "status.conditions": [
                {"type": "Ready", "status": "True", "lastTransitionTime": rfc3339(START + 90)}
            ]
        },
        {"status.containerStatuses": [{"restartCount": 3}]},
        {"metadata.creationTimestamp": rfc3339(START + 95)},
    ],
)
def test_the_victim_is_the_pod_least_missed(world: World, changes: dict[str, Any]) -> None:
    assert surplus(world, changes) == "changed"


def test_a_replica_set_being_deleted_makes_nothing(world: World) -> None:
    body = replica_set()
    world.put("replicasets.apps", body)
    world.edit(
        "replicasets.apps",
        KEY,
        lambda rs: rs["metadata"].update(deletionTimestamp=rfc3339(START), finalizers=["foregroundDeletion"]),
    )
    world.settle()
    assert names(world) == set()
