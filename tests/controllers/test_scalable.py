"""Autoscalers and budgets of kinds that a definition says can be scaled."""

from __future__ import annotations

from typing import Any

import pytest

from app.base.clock import rfc3339
from app.objects.change import Object
from tests.controllers.worlds import START, World, pod
from workers.controllers.autoscaling import autoscaler
from workers.controllers.disruptions import disruption
from workers.controllers.scalable import find

TABS = "crontabs.example.com"
AUTOSCALERS, BUDGETS = autoscaler.RESOURCE, disruption.RESOURCE
SCALE = {
    "specReplicasPath": ".spec.size",
    "statusReplicasPath": ".status.size",
    "labelSelectorPath": ".status.chosen",
}


def define(world: World, scale: Object | None = SCALE, established: str = "True") -> None:
    version: Object = {"name": "v1", "served": True, "storage": True}
    if scale is not None:
        version["subresources"] = {"scale": scale}
    world.put("customresourcedefinitions.apiextensions.k8s.io", {
        "metadata": {"name": TABS},
        "spec": {"group": "example.com", "scope": "Namespaced", "versions": [version],
                 "names": {"plural": "crontabs", "kind": "CronTab"}},
        "status": {"conditions": [{"type": "Established", "status": established}]},
    })  # fmt: skip


def put_tab(world: World, size: Any = 2, chosen: str = "app=web") -> Object:
    return world.put(TABS, {
        "metadata": {"name": "tab", "namespace": "default"},
        "spec": {"size": size, "other": 1}, "status": {"size": 2, "chosen": chosen},
    })  # fmt: skip


@pytest.fixture
def world() -> World:
    """A custom object of two pods, each of which uses twice as much as it should."""
    world = World([autoscaler.ROLE, disruption.ROLE])
    define(world)
    owner = put_tab(world)
    reference = {"apiVersion": "example.com/v1", "kind": "CronTab", "name": "tab", "controller": True,
                 "uid": owner["metadata"]["uid"]}  # fmt: skip
    for name in ("web-1", "web-2"):
        made = pod(name, "n1")
        made["metadata"]["ownerReferences"] = [reference]
        made["status"] = {
            "phase": "Running", "startTime": rfc3339(START - 1000),
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": rfc3339(START - 900)}],
        }  # fmt: skip
        world.put("pods", made)
        world.put("pods.metrics.k8s.io", {
            "metadata": {"name": name, "namespace": "default"}, "timestamp": rfc3339(START), "window": "15s",
            "containers": [{"name": "main", "usage": {"cpu": "100m"}}],
        })  # fmt: skip
    world.put(AUTOSCALERS, {
        "metadata": {"name": "tab", "namespace": "default"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "example.com/v1", "kind": "CronTab", "name": "tab"},
            "minReplicas": 1, "maxReplicas": 10,
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}],
        },
    })  # fmt: skip
    return world


def told(world: World) -> dict[str, tuple[str, str]]:
    found = world.get(AUTOSCALERS, "default/tab")
    assert found is not None
    return {each["type"]: (each["status"], each["reason"]) for each in found["status"]["conditions"]}


def test_a_custom_object_is_scaled_where_its_definition_says(world: World) -> None:
    world.run(autoscaler.ROLE, "default/tab")
    found = world.get(TABS, "default/tab")
    assert found is not None
    assert found["spec"] == {"size": 4, "other": 1}
    assert told(world)["ScalingActive"] == ("True", "ValidMetricFound")
    status = world.get(AUTOSCALERS, "default/tab")["status"]  # type: ignore[index]
    assert (status["currentReplicas"], status["desiredReplicas"]) == (2, 4)


@pytest.mark.parametrize("chosen", ["", "not a selector!"])
def test_without_a_selector_its_pods_are_not_known(world: World, chosen: str) -> None:
    put_tab(world, chosen=chosen)
    world.run(autoscaler.ROLE, "default/tab")
    assert told(world)["ScalingActive"] == ("False", "InvalidSelector")


def test_a_number_that_is_not_there_counts_as_none(world: World) -> None:
    put_tab(world, size="many")
    world.run(autoscaler.ROLE, "default/tab")
    assert told(world)["ScalingActive"] == ("False", "ScalingDisabled")


@pytest.mark.parametrize(("scale", "established"), [(None, "True"), (SCALE, "False")])
def test_a_kind_without_scale_or_not_yet_established_has_no_size(
    world: World, scale: Object | None, established: str
) -> None:
    define(world, scale, established)
    assert find(world, "example.com", "CronTab") is None
    world.run(autoscaler.ROLE, "default/tab")
    assert told(world)["AbleToScale"] == ("False", "FailedGetScale")


def test_two_autoscalers_of_one_custom_object_are_told_of_each_other(world: World) -> None:
    first = world.get(AUTOSCALERS, "default/tab")
    assert first is not None
    world.put(AUTOSCALERS, {"metadata": {"name": "also", "namespace": "default"}, "spec": first["spec"]})
    world.run(autoscaler.ROLE, "default/tab")
    assert told(world)["ScalingActive"] == ("False", "AmbiguousSelector")


def test_a_budgets_share_is_one_of_what_its_custom_owner_wants(world: World) -> None:
    put_tab(world, size=4)
    selector = {"matchLabels": {"app": "web"}}
    world.put(BUDGETS, {"metadata": {"name": "b", "namespace": "default"},
                        "spec": {"selector": selector, "minAvailable": "25%"}})  # fmt: skip
    world.run(disruption.ROLE, "default/b")
    status = world.get(BUDGETS, "default/b")["status"]  # type: ignore[index]
    assert (status["expectedPods"], status["desiredHealthy"], status["disruptionsAllowed"]) == (4, 1, 1)
