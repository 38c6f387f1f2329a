"""Deployments, with the ReplicaSet controller beneath them and pods that become ready when told."""

from __future__ import annotations

from typing import Any

import pytest

from app.objects import conditions, pods
from tests.controllers.worlds import World, deployment, replica_set
from workers.controllers import deployment as deployments
from workers.controllers import replicaset
from workers.controllers.history import REVISION

KEY = "default/web"


@pytest.fixture
def world() -> World:
    return World([deployments.ROLE, replicaset.role(30)])


def settle_pods(world: World) -> None:
    """Everything settles, with every pod becoming ready and every deleted one going."""
    for _ in range(200):
        world.settle()
        waiting = [p for p in world.list("pods") if pods.is_active(p) and not pods.is_ready(p)]
        if not waiting:
            return
        for pod in waiting:
            world.make_ready(f"default/{pod['metadata']['name']}")
    raise AssertionError("the rollout never ends")


def get(world: World) -> Any:
    found = world.get("deployments.apps", KEY)
    assert found is not None
    return found


def images(world: World) -> list[str]:
    return sorted(p["spec"]["containers"][0]["image"] for p in world.list("pods") if pods.is_active(p))


def sizes(world: World) -> dict[str, int]:
    """ReplicaSets' sizes by image."""
    return {
        rs["spec"]["template"]["spec"]["containers"][0]["image"]: rs["spec"]["replicas"]
        for rs in world.list("replicasets.apps")
    }


def set_image(world: World, image: str) -> None:
    def change(obj: Any) -> None:
        obj["spec"]["template"]["spec"]["containers"][0]["image"] = image

    world.edit("deployments.apps", KEY, change)


def set_spec(world: World, **fields: Any) -> None:
    world.edit("deployments.apps", KEY, lambda obj: obj["spec"].update(fields))


def progressing(world: World) -> tuple[str, str, str]:
    condition = conditions.get(get(world), "Progressing")
    assert condition is not None
    return condition["status"], condition["reason"], condition["message"]


def test_a_new_deployment_gets_its_pods_and_says_so(world: World) -> None:
    world.put("deployments.apps", deployment())
    world.settle()
    assert progressing(world)[1] in ("NewReplicaSetCreated", "ReplicaSetUpdated")
    assert conditions.get(get(world), "Available")["reason"] == "MinimumReplicasUnavailable"  # type: ignore[index]
    settle_pods(world)
    (rs,) = world.list("replicasets.apps")
    status = get(world)["status"]
    assert {k: v for k, v in status.items() if k != "conditions"} == {
        "observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3,
        "terminatingReplicas": 0,
    }  # fmt: skip
    assert progressing(world) == (
        "True", "NewReplicaSetAvailable", f'ReplicaSet "{rs["metadata"]["name"]}" has successfully progressed.',
    )  # fmt: skip
    assert conditions.is_true(get(world), "Available")
    assert get(world)["metadata"]["annotations"][REVISION] == "1"
    letters = rs["metadata"]["labels"]["pod-template-hash"]
    assert rs["metadata"]["name"] == f"web-{letters}"
    assert rs["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": letters}
    assert all(p["metadata"]["labels"]["pod-template-hash"] == letters for p in world.list("pods"))
    assert [e.message for e in world.events if e.reason == "ScalingReplicaSet"] == [
        f"Scaled up replica set web-{letters} from 0 to 3"
    ]


def test_an_update_replaces_all_pods_and_keeps_the_old_replica_set(world: World) -> None:
    world.put("deployments.apps", deployment())
    settle_pods(world)
    set_image(world, "web:2")
    settle_pods(world)
    assert images(world) == ["web:2"] * 3
    assert sizes(world) == {"web:1": 0, "web:2": 3}
    assert get(world)["metadata"]["annotations"][REVISION] == "2"
    assert progressing(world)[1] == "NewReplicaSetAvailable"


def test_a_rollback_takes_the_old_replica_set_under_a_new_revision(world: World) -> None:
    world.put("deployments.apps", deployment())
    settle_pods(world)
    set_image(world, "web:2")
    settle_pods(world)
    set_image(world, "web:1")
    settle_pods(world)
    assert len(world.list("replicasets.apps")) == 2
    assert sizes(world) == {"web:1": 3, "web:2": 0}
    back = next(rs for rs in world.list("replicasets.apps") if rs["spec"]["replicas"])
    assert back["metadata"]["annotations"][REVISION] == "3"
    assert back["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert get(world)["metadata"]["annotations"][REVISION] == "3"


def test_a_change_cause_is_kept_with_its_revision(world: World) -> None:
    body = deployment()
    body["metadata"]["annotations"] = {"kubernetes.io/change-cause": "first"}
    world.put("deployments.apps", body)
    world.settle()
    (rs,) = world.list("replicasets.apps")
    assert rs["metadata"]["annotations"]["kubernetes.io/change-cause"] == "first"


def test_a_paused_deployment_scales_but_does_not_roll_out(world: World) -> None:
    world.put("deployments.apps", deployment())
    settle_pods(world)
    set_spec(world, paused=True)
    set_image(world, "web:2")
    world.settle()
    assert progressing(world)[:2] == ("Unknown", "DeploymentPaused")
    set_spec(world, replicas=5)
    settle_pods(world)
    assert images(world) == ["web:1"] * 5
    set_spec(world, paused=False)
    settle_pods(world)
    assert images(world) == ["web:2"] * 5
    assert progressing(world)[1] == "NewReplicaSetAvailable"


def test_a_rollout_without_progress_times_out_and_recovers(world: World) -> None:
    world.put("deployments.apps", deployment(progressDeadlineSeconds=60))
    settle_pods(world)
    set_image(world, "broken")
    world.settle()
    world.advance(59)
    assert progressing(world)[0] == "True"
    world.advance(10)
    assert progressing(world)[:2] == ("False", "ProgressDeadlineExceeded")
    assert "has timed out progressing" in progressing(world)[2]
    set_image(world, "web:1")
    settle_pods(world)
    assert progressing(world)[1] == "NewReplicaSetAvailable"


def test_scaling_during_a_rollout_is_shared_in_proportion(world: World) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}
    world.put("deployments.apps", deployment(replicas=10, strategy=rolling))
    settle_pods(world)
    set_image(world, "broken")
    world.settle()
    assert sizes(world) == {"web:1": 8, "broken": 5}
    set_spec(world, replicas=15)
    world.settle()
    # The example of the Kubernetes documentation.
    assert sizes(world) == {"web:1": 11, "broken": 7}


def test_recreate_waits_until_every_old_pod_is_gone(world: World) -> None:
    world.put("nodes", {"metadata": {"name": "n"}})
    world.put("deployments.apps", deployment(strategy={"type": "Recreate"}))
    settle_pods(world)
    for pod in world.list("pods"):
        world.edit("pods", f"default/{pod['metadata']['name']}", lambda p: p["spec"].update(nodeName="n"))
    set_image(world, "web:2")
    world.settle()
    assert images(world) == []
    assert sizes(world) == {"web:1": 0}
    *others, last = [f"default/{p['metadata']['name']}" for p in world.list("pods")]
    for key in others:
        world.remove("pods", key)
    world.settle()
    assert sizes(world) == {"web:1": 0}
    world.remove("pods", last)
    settle_pods(world)
    assert images(world) == ["web:2"] * 3


def test_history_beyond_its_limit_is_forgotten(world: World) -> None:
    world.put("deployments.apps", deployment(revisionHistoryLimit=1))
    settle_pods(world)
    for image in ("web:2", "web:3", "web:4"):
        set_image(world, image)
        settle_pods(world)
    assert sizes(world) == {"web:3": 0, "web:4": 3}


def test_an_orphaned_replica_set_is_adopted_and_a_foreign_one_released(world: World) -> None:
    old = replica_set("old", 1)
    old["metadata"]["labels"] = {"app": "web"}
    world.put("replicasets.apps", old)
    world.put("deployments.apps", deployment())
    world.settle()
    adopted = world.get("replicasets.apps", "default/old")
    assert adopted is not None
    assert adopted["metadata"]["ownerReferences"][0]["name"] == "web"
    world.edit("replicasets.apps", "default/old", lambda rs: rs["metadata"].update(labels={"app": "other"}))
    world.settle()
    released = world.get("replicasets.apps", "default/old")
    assert released is not None
    assert "ownerReferences" not in released["metadata"]


def test_a_name_that_is_taken_makes_a_collision_count(world: World) -> None:
    world.put("deployments.apps", deployment())
    world.settle()
    (rs,) = world.list("replicasets.apps")
    other = World([deployments.ROLE, replicaset.role(30)])
    taken = replica_set(rs["metadata"]["name"], 0)
    other.put("replicasets.apps", taken)
    other.put("deployments.apps", deployment())
    settle_pods(other)
    assert get(other)["status"]["collisionCount"] == 1
    assert len(images(other)) == 3


def test_a_settled_deployment_is_left_alone(world: World) -> None:
    world.put("deployments.apps", deployment())
    settle_pods(world)
    assert world.plan("deployment-controller", KEY).writes == ()
    for rs in world.list("replicasets.apps"):
        assert world.plan("replicaset-controller", f"default/{rs['metadata']['name']}").writes == ()


def test_min_ready_seconds_hold_the_rollout_back(world: World) -> None:
    world.put("deployments.apps", deployment(replicas=1, minReadySeconds=10))
    settle_pods(world)
    assert get(world)["status"].get("availableReplicas", 0) == 0
    world.advance(11)
    assert get(world)["status"]["availableReplicas"] == 1


def test_a_deployment_says_what_keeps_its_pods_away(world: World) -> None:
    world.put("deployments.apps", deployment())
    settle_pods(world)
    (rs,) = world.list("replicasets.apps")
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "exceeded quota: q",
    }
    key = f"default/{rs['metadata']['name']}"
    world.edit("replicasets.apps", key, lambda found: found["status"].update(conditions=[failure]))
    world.settle()
    told = conditions.get(get(world), "ReplicaFailure")
    assert told is not None
    assert (told["reason"], told["message"]) == ("FailedCreate", "exceeded quota: q")

    world.edit("replicasets.apps", key, lambda found: found["status"].pop("conditions"))
    world.settle()
    assert conditions.get(get(world), "ReplicaFailure") is None
