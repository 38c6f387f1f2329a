"""ReplicationControllers: ReplicaSets with plain labels for a selector."""

from __future__ import annotations

import pytest

from app.objects.meta import controller_of
from tests.controllers.worlds import World, pod, pod_template
from workers.controllers import replication_controller

KEY = "default/web"


@pytest.fixture
def world() -> World:
    return World([replication_controller.role(30)])


def put(world: World, replicas: int) -> None:
    spec = {"replicas": replicas, "selector": {"app": "web"}, "template": pod_template()}
    meta = {"name": "web", "namespace": "default"}
    world.put("replicationcontrollers", {"metadata": meta, "spec": spec})
    world.settle()


def test_it_keeps_as_many_pods_as_it_wants(world: World) -> None:
    put(world, 3)
    assert len(world.list("pods")) == 3
    assert world.objects["replicationcontrollers"][KEY]["status"]["replicas"] == 3

    world.remove("pods", world.keys("pods")[0])
    world.settle()
    assert len(world.list("pods")) == 3

    put(world, 1)
    assert len(world.list("pods")) == 1


def test_it_adopts_orphans_with_its_labels(world: World) -> None:
    world.put("pods", pod("mine"))
    world.put("pods", pod("other", app="other"))
    put(world, 2)

    assert (controller_of(world.objects["pods"]["default/mine"]) or {})["kind"] == "ReplicationController"
    assert controller_of(world.objects["pods"]["default/other"]) is None
    assert len(world.list("pods")) == 3
