"""The claims of a StatefulSet's pods: whose they are, and when they go."""

from __future__ import annotations

import pytest

from app.objects.change import Object, Verb
from app.objects.meta import labels
from tests.controllers.stateful_worlds import KEY, change, names, put, settle
from tests.controllers.worlds import World, stateful_set
from workers.controllers import all as controllers
from workers.controllers import garbage
from workers.controllers.stateful import stateful_set as stateful_sets

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data", "labels": {"disk": "fast"}},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    "status": {"phase": "Pending"},
}


@pytest.fixture
def world() -> World:
    return World([stateful_sets.role(30), garbage.role(controllers.where)])


def claims(world: World) -> dict[str, list[str]]:
    """The claims, and the kinds of those that own them."""
    return {
        c["metadata"]["name"]: [r["kind"] for r in c["metadata"].get("ownerReferences") or ()]
        for c in world.list("persistentvolumeclaims")
    }


def policy(deleted: str, scaled: str) -> Object:
    return {"whenDeleted": deleted, "whenScaled": scaled}


def test_each_pod_has_its_own_claim_under_the_templates_name(world: World) -> None:
    put(world, replicas=2, volumeClaimTemplates=[CLAIM])

    assert claims(world) == {"data-web-0": [], "data-web-1": []}
    claim = world.objects["persistentvolumeclaims"]["default/data-web-0"]
    assert labels(claim) == {"disk": "fast", "app": "web"}
    assert claim["spec"] == CLAIM["spec"]
    (volume,) = world.objects["pods"]["default/web-1"]["spec"]["volumes"]
    assert volume == {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-1"}}


def test_a_claim_stays_for_the_next_pod_of_that_name(world: World) -> None:
    put(world, replicas=1, volumeClaimTemplates=[CLAIM])
    uid = world.objects["persistentvolumeclaims"]["default/data-web-0"]["metadata"]["uid"]
    world.remove("pods", "default/web-0")
    settle(world)

    assert names(world) == ["web-0"]
    assert world.objects["persistentvolumeclaims"]["default/data-web-0"]["metadata"]["uid"] == uid


def test_a_claim_that_is_missing_is_made_while_its_pod_waits_for_it(world: World) -> None:
    world.put("statefulsets.apps", stateful_set(replicas=1, volumeClaimTemplates=[CLAIM]))
    world.settle()
    world.remove("persistentvolumeclaims", "default/data-web-0")
    world.settle()

    assert claims(world) == {"data-web-0": []}


@pytest.mark.parametrize(
    ("given", "before", "left"),
    [
        (policy("Retain", "Retain"), [], ["data-web-0", "data-web-1"]),
        (policy("Delete", "Retain"), ["StatefulSet"], ["data-web-0", "data-web-1"]),
        (policy("Retain", "Delete"), [], ["data-web-0"]),
        (policy("Delete", "Delete"), ["StatefulSet"], ["data-web-0"]),
    ],
)
def test_scaling_down_leaves_the_claims_that_the_policy_keeps(
    world: World, given: Object, before: list[str], left: list[str]
) -> None:
    put(world, replicas=2, volumeClaimTemplates=[CLAIM], persistentVolumeClaimRetentionPolicy=given)
    assert claims(world) == {"data-web-0": before, "data-web-1": before}

    change(world, replicas=1)
    assert list(claims(world)) == left


@pytest.mark.parametrize(("when", "left"), [("Retain", ["data-web-0"]), ("Delete", [])])
def test_deleting_the_set_leaves_the_claims_that_the_policy_keeps(
    world: World, when: str, left: list[str]
) -> None:
    put(
        world,
        replicas=1,
        volumeClaimTemplates=[CLAIM],
        persistentVolumeClaimRetentionPolicy=policy(when, "Retain"),
    )
    world.remove("statefulsets.apps", KEY)
    settle(world)

    assert names(world) == []
    assert list(claims(world)) == left


def test_a_change_of_the_policy_changes_who_owns_the_claims(world: World) -> None:
    put(world, replicas=1, volumeClaimTemplates=[CLAIM])
    change(world, persistentVolumeClaimRetentionPolicy=policy("Delete", "Retain"))
    assert claims(world) == {"data-web-0": ["StatefulSet"]}

    change(world, persistentVolumeClaimRetentionPolicy=policy("Retain", "Retain"))
    assert claims(world) == {"data-web-0": []}


def test_a_claim_of_somebody_else_is_used_and_left_as_it_is(world: World) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u", "controller": True}
    world.put(
        "persistentvolumeclaims",
        {"metadata": {"name": "data-web-0", "namespace": "default", "ownerReferences": [owner]}, "spec": {}},
    )
    world.put("configmaps", {"metadata": {"name": "x", "namespace": "default", "uid": "u"}})
    world.objects["persistentvolumeclaims"]["default/data-web-0"]["metadata"]["ownerReferences"][0]["uid"] = (
        world.objects["configmaps"]["default/x"]["metadata"]["uid"]
    )
    put(
        world,
        replicas=1,
        volumeClaimTemplates=[CLAIM],
        persistentVolumeClaimRetentionPolicy=policy("Delete", "Delete"),
    )

    assert names(world) == ["web-0"]
    assert claims(world) == {"data-web-0": ["ConfigMap"]}


def test_a_pod_that_goes_waits_until_its_claims_follow_it(world: World) -> None:
    put(
        world,
        replicas=1,
        volumeClaimTemplates=[CLAIM],
        persistentVolumeClaimRetentionPolicy=policy("Retain", "Delete"),
    )
    world.edit("statefulsets.apps", KEY, lambda s: s["spec"].update(replicas=0))
    plan = world.plan("statefulset-controller", KEY)

    assert [(w.resource, w.verb) for w in plan.writes if w.resource != "statefulsets.apps"] == [
        ("persistentvolumeclaims", Verb.UPDATE)
    ]


def test_a_pod_is_not_made_anew_before_the_claim_that_followed_its_predecessor_is_gone(world: World) -> None:
    put(
        world,
        replicas=1,
        volumeClaimTemplates=[CLAIM],
        persistentVolumeClaimRetentionPolicy=policy("Retain", "Delete"),
    )
    world.edit("statefulsets.apps", KEY, lambda s: s["spec"].update(replicas=0))
    while world.get("pods", "default/web-0") is not None:
        assert world.queue
        found = [work for work in world.queue if work[0] == "statefulset-controller"]
        for work in found:
            del world.queue[work]
            world.run(*work)
    world.edit("statefulsets.apps", KEY, lambda s: s["spec"].update(replicas=1))
    world.run("statefulset-controller", KEY)
    assert names(world) == []

    settle(world)
    assert names(world) == ["web-0"]
    assert claims(world) == {"data-web-0": []}
