from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.base.errors import BadRequest, Conflict, Invalid, NotFound
from app.schemas import kinds

DEPLOYMENTS = kinds.by_resource("deployments.apps")
MERGE = "application/merge-patch+json"


@pytest.fixture
def deployed(world: Any, make: Any) -> Any:
    world.create("deployments.apps", make.deployment(replicas=3))
    world.patch("deployments.apps", "web", {"status": {"replicas": 2}}, subresource="status")
    return world


def test_a_scale_shows_replicas_and_selector(deployed: Any) -> None:
    scale = orjson.loads(deployed.registry.get_scale(deployed.request(), DEPLOYMENTS, "default", "web"))
    stored = deployed.must("deployments.apps", "default/web")["metadata"]
    assert scale["kind"] == "Scale"
    assert scale["apiVersion"] == "autoscaling/v1"
    assert (scale["metadata"]["uid"], scale["metadata"]["resourceVersion"]) == (
        stored["uid"],
        stored["resourceVersion"],
    )
    assert scale["spec"] == {"replicas": 3}
    assert scale["status"] == {"replicas": 2, "selector": "app=web"}


def test_a_scale_put_back_changes_the_replicas(deployed: Any) -> None:
    registry, request = deployed.registry, deployed.request()
    scale = orjson.loads(registry.get_scale(request, DEPLOYMENTS, "default", "web"))
    put = registry.replace_scale(request, DEPLOYMENTS, "default", "web", {**scale, "spec": {"replicas": 6}})
    assert orjson.loads(put)["spec"] == {"replicas": 6}
    stored = deployed.must("deployments.apps", "default/web")
    assert stored["spec"]["replicas"] == 6
    assert stored["metadata"]["generation"] == 2
    with pytest.raises(Conflict):
        registry.replace_scale(request, DEPLOYMENTS, "default", "web", scale | {"spec": {"replicas": 1}})


def test_a_scale_patched_to_nothing_is_zero_replicas(deployed: Any) -> None:
    patched = deployed.registry.patch_scale(
        deployed.request(), DEPLOYMENTS, "default", "web", {"spec": {"replicas": 0}}, MERGE
    )
    assert orjson.loads(patched)["spec"] == {"replicas": 0}
    assert deployed.must("deployments.apps", "default/web")["spec"]["replicas"] == 0


def test_fewer_than_no_replicas_are_refused(deployed: Any) -> None:
    with pytest.raises(
        Invalid, match=r"spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    ):
        deployed.registry.patch_scale(
            deployed.request(), DEPLOYMENTS, "default", "web", {"spec": {"replicas": -1}}, MERGE
        )


def test_what_can_not_be_scaled_has_no_scale(world: Any, make: Any) -> None:
    world.create("pods", make.pod())
    with pytest.raises(NotFound):
        world.registry.get_scale(world.request(), kinds.by_resource("pods"), "default", "p")


def bind(world: Any, node: str = "n1", **more: Any) -> Any:
    raw = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": node}, **more}
    return orjson.loads(world.registry.bind(world.request(), "default", "p", raw))


def test_a_bound_pod_has_its_node_and_is_scheduled(world: Any, make: Any) -> None:
    world.create("nodes", make.node())
    world.create("pods", make.pod())
    assert bind(world)["status"] == "Success"
    pod = world.must("pods", "default/p")
    assert pod["spec"]["nodeName"] == "n1"
    assert [(c["type"], c["status"]) for c in pod["status"]["conditions"]] == [("PodScheduled", "True")]


def test_a_pod_is_bound_once_and_only_to_a_node_that_is_there(world: Any, make: Any) -> None:
    world.create("nodes", make.node())
    world.create("nodes", make.node("n2"))
    world.create("pods", make.pod())
    with pytest.raises(NotFound, match=r'^nodes "n9" not found$'):
        bind(world, "n9")
    bind(world)
    with pytest.raises(Conflict, match='pod p is already assigned to node "n1"'):
        bind(world, "n2")
    with pytest.raises(NotFound, match=r'^pods "q" not found$'):
        world.registry.bind(
            world.request(), "default", "q", {"metadata": {"name": "q"}, "target": {"name": "n1"}}
        )


@pytest.mark.parametrize("target", [{}, {"kind": "Pod", "name": "n1"}])
def test_a_binding_needs_a_node(world: Any, make: Any, target: dict[str, str]) -> None:
    world.create("nodes", make.node())
    world.create("pods", make.pod())
    with pytest.raises((Invalid, BadRequest)):
        bind(world, target=target)
    assert "nodeName" not in world.must("pods", "default/p")["spec"]
