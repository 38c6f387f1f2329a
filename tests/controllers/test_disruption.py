from __future__ import annotations

from typing import Any

import pytest

from app.base.clock import rfc3339
from app.objects import budgets
from app.objects.change import Object
from tests.controllers.worlds import START, World, deployment, pod
from workers.controllers import deployment as deployments
from workers.controllers import replicaset
from workers.controllers.disruptions import disruption

KEY = "default/b"


@pytest.fixture
def world() -> World:
    return World([deployments.ROLE, replicaset.role(30), disruption.ROLE])


def put(world: World, **spec: Any) -> None:
    selector = {"matchLabels": {"app": "web"}}
    world.put(
        "poddisruptionbudgets.policy",
        {"metadata": {"name": "b", "namespace": "default"}, "spec": {"selector": selector, **spec}},
    )
    world.settle()


def running(world: World, replicas: int) -> None:
    world.put("deployments.apps", deployment(replicas=replicas))
    world.settle()
    for key in world.keys("pods"):
        world.make_ready(key)
    world.settle()


def status(world: World) -> Object:
    budget = world.get("poddisruptionbudgets.policy", KEY)
    assert budget is not None
    return dict(budget["status"])


def counts(world: World) -> tuple[int, int, int, int]:
    told = status(world)
    return (
        told["disruptionsAllowed"], told["currentHealthy"], told["desiredHealthy"], told["expectedPods"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"minAvailable": 3}, (2, 5, 3, 5)),
        ({"minAvailable": "50%"}, (2, 5, 3, 5)),
        ({"maxUnavailable": 1}, (1, 5, 4, 5)),
        ({"maxUnavailable": "30%"}, (2, 5, 3, 5)),
        ({"maxUnavailable": "0%"}, (0, 5, 5, 5)),
        ({"minAvailable": "100%"}, (0, 5, 5, 5)),
        ({"minAvailable": 9}, (0, 5, 9, 5)),
        ({}, (0, 5, 0, 0)),
    ],
)
def test_what_is_allowed(world: World, limit: Object, expected: tuple[int, int, int, int]) -> None:
    running(world, 5)
    put(world, **limit)
    assert counts(world) == expected
    (condition,) = status(world)["conditions"]
    assert condition["status"] == ("True" if expected[0] else "False")
    assert condition["reason"] == ("SufficientPods" if expected[0] else "InsufficientPods")
    assert condition["observedGeneration"] == 1


def test_it_follows_pods_and_the_sizes_of_their_owners(world: World) -> None:
    running(world, 4)
    put(world, maxUnavailable="25%")
    assert counts(world) == (1, 4, 3, 4)
    key = world.keys("pods")[0]
    world.edit("pods", key, lambda p: p["status"].update(conditions=[]))
    world.settle()
    assert counts(world) == (0, 3, 3, 4)
    world.edit("deployments.apps", "default/web", lambda d: d["spec"].update(replicas=8))
    world.settle()
    assert counts(world) == (0, 3, 6, 8)


def test_a_pod_being_deleted_is_not_healthy(world: World) -> None:
    running(world, 3)
    put(world, minAvailable=2)
    world.edit(
        "pods", world.keys("pods")[0], lambda p: p["metadata"].update(deletionTimestamp=rfc3339(START + 30))
    )
    world.settle()
    assert counts(world)[:2] == (0, 2)


def test_a_granted_eviction_counts_until_its_pod_is_marked_or_has_waited_too_long(world: World) -> None:
    running(world, 3)
    put(world, minAvailable=2)
    name = world.keys("pods")[0].partition("/")[2]
    budget = world.get("poddisruptionbudgets.policy", KEY)
    assert budget is not None
    world.put("poddisruptionbudgets.policy", budgets.granted(budget, name, world.now))
    world.settle()
    assert counts(world)[:2] == (0, 2)
    assert list(status(world)["disruptedPods"]) == [name]
    world.advance(119)
    assert counts(world)[0] == 0
    world.advance(1)
    assert counts(world)[:2] == (1, 3)
    assert "disruptedPods" not in status(world)
    assert "NotDeleted" in [event.reason for event in world.events]


def test_a_share_of_pods_whose_owner_has_no_size_allows_nothing(world: World) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "u", "controller": True}
    one = pod("a")
    one["metadata"]["ownerReferences"] = [owner]
    world.put("pods", one)
    world.make_ready("default/a")
    put(world, maxUnavailable=1)
    assert status(world)["disruptionsAllowed"] == 0
    (condition,) = status(world)["conditions"]
    assert condition["reason"] == "SyncFailed"
    assert condition["message"] == "daemonsets.apps does not implement the scale subresource"
    assert "CalculateExpectedPodCountFailed" in [event.reason for event in world.events]


def test_an_empty_selector_means_all_pods_and_none_means_none(world: World) -> None:
    running(world, 3)
    put(world, minAvailable=1, selector={})
    assert counts(world)[1] == 3
    put(world, minAvailable=1, selector=None)
    assert counts(world)[1] == 0
    assert "NoPods" in [event.reason for event in world.events]
