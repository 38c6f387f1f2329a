"""What a pod takes of its node besides cpu and memory, and while it is being resized."""

from __future__ import annotations

from typing import Any

import pytest

from app.objects import conditions
from app.objects.change import Object
from tests.controllers.worlds import World, node, pod
from workers.scheduler import scheduler

DONGLE = "example.com/dongle"


@pytest.fixture
def world() -> World:
    return World([scheduler.ROLE])


def has(name: str, resource: str, amount: str) -> Object:
    body = node(name)
    body["status"]["allocatable"][resource] = amount
    return body


def asks(name: str, requests: dict[str, str], **spec: Any) -> Object:
    container = {"name": "main", "image": "x", "resources": {"requests": requests}}
    return pod(name, **{"containers": [container], **spec})


def where(world: World, name: str) -> str:
    return str((world.get("pods", f"default/{name}") or {})["spec"].get("nodeName") or "")


def why(world: World, name: str) -> str:
    condition = conditions.get(world.get("pods", f"default/{name}") or {}, "PodScheduled")
    return str((condition or {}).get("message"))


def test_resources_that_nodes_are_told_to_have_are_counted(world: World) -> None:
    world.put("nodes", node("plain"))
    world.put("nodes", has("with", DONGLE, "3"))
    for name in ("a", "b"):
        world.put("pods", asks(name, {DONGLE: "2"}))
    world.settle()

    placed = {name: where(world, name) for name in ("a", "b")}
    assert sorted(placed.values()) == ["", "with"]
    waiting = next(name for name, at in placed.items() if not at)
    assert why(world, waiting) == f"0/2 nodes are available: 2 Insufficient {DONGLE}."

    world.edit("nodes", "plain", lambda n: n["status"]["allocatable"].update({DONGLE: "2"}))
    world.settle()
    assert where(world, waiting) == "plain"


def test_huge_pages_are_had_where_a_node_has_them(world: World) -> None:
    world.put("nodes", has("n1", "hugepages-2Mi", "0"))
    world.put("pods", asks("a", {"cpu": "1", "hugepages-2Mi": "4Mi"}))
    world.settle()
    assert why(world, "a") == "0/1 nodes are available: 1 Insufficient hugepages-2Mi."

    world.edit("nodes", "n1", lambda n: n["status"]["allocatable"].update({"hugepages-2Mi": "8Mi"}))
    world.settle()
    assert where(world, "a") == "n1"


def test_local_disk_is_counted_for_init_containers_as_well(world: World) -> None:
    world.put("nodes", has("n1", "ephemeral-storage", "10Gi"))
    first = {"name": "first", "resources": {"requests": {"ephemeral-storage": "8Gi"}}}
    world.put("pods", asks("a", {"ephemeral-storage": "1Gi"}, initContainers=[first]))
    world.put("pods", asks("b", {"ephemeral-storage": "3Gi"}))
    world.settle()
    assert sorted((where(world, "a"), where(world, "b"))) == ["", "n1"]


def test_a_pod_with_resources_of_its_own_takes_those(world: World) -> None:
    world.put("nodes", node("n1", cpu="2"))
    world.put("pods", asks("a", {"cpu": "100m"}, resources={"requests": {"cpu": "1500m"}}))
    world.settle()
    world.put("pods", asks("b", {"cpu": "600m"}))
    world.settle()
    assert (where(world, "a"), where(world, "b")) == ("n1", "")


def test_a_pod_that_is_resized_takes_the_greater_of_what_it_has_and_wants(world: World) -> None:
    world.put("nodes", node("n1", cpu="2"))
    world.put("pods", asks("a", {"cpu": "1"}))
    world.settle()

    def given(cpu: str) -> None:
        status = {"name": "main", "allocatedResources": {"cpu": cpu}}
        world.edit("pods", "default/a", lambda p: p["status"].update(containerStatuses=[status]))

    def wants(cpu: str) -> None:
        world.edit(
            "pods", "default/a", lambda p: p["spec"]["containers"][0]["resources"]["requests"].update(cpu=cpu)
        )

    given("1")
    wants("1800m")
    world.put("pods", asks("b", {"cpu": "500m"}))
    world.settle()
    assert where(world, "b") == ""
    given("1800m")
    wants("500m")
    world.settle()
    assert where(world, "b") == "", "it still has it"
    given("500m")
    world.settle()
    assert where(world, "b") == "n1"


def test_what_a_node_can_never_give_is_not_counted(world: World) -> None:
    world.put("nodes", node("n1", cpu="2"))
    body = asks("a", {"cpu": "64"})
    body["spec"]["nodeName"] = "n1"
    never = {"type": "PodResizePending", "status": "True", "reason": "Infeasible"}
    given = {"name": "main", "allocatedResources": {"cpu": "1"}}
    body["status"] = {"phase": "Running", "containerStatuses": [given], "conditions": [never]}
    world.put("pods", body)
    world.put("pods", asks("b", {"cpu": "1"}))
    world.settle()
    assert where(world, "b") == "n1"
