from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from app.base.clock import rfc3339
from app.objects.change import Object
from app.schemas import kinds
from app.schemas.defaults import apply
from tests.controllers.worlds import START, World, deployment
from workers.controllers import deployment as deployments
from workers.controllers import replicaset
from workers.controllers.autoscaling import autoscaler

KEY = "default/web"
RESOURCE = "horizontalpodautoscalers.autoscaling"


@pytest.fixture
def world() -> World:
    return World([deployments.ROLE, replicaset.role(30), autoscaler.ROLE])


def cpu(utilization: int = 50) -> Object:
    target = {"type": "Utilization", "averageUtilization": utilization}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def put(world: World, *metrics: Object, name: str = "web", **spec: Any) -> None:
    """An autoscaler of the Deployment `web`, whose pods ask for 100m each."""
    body = {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 10,
            "metrics": list(metrics) or [cpu()],
            **spec,
        },
    }
    world.put(RESOURCE, apply(kinds.by_resource(RESOURCE), body))
    world.settle()


def running(world: World, replicas: int) -> None:
    world.put("deployments.apps", deployment(replicas=replicas))
    world.settle()
    make_ready(world)


def make_ready(world: World) -> None:
    """All pods are ready, and have been for long."""
    for key in world.keys("pods"):

        def change(pod: Object) -> None:
            pod["status"].update(
                phase="Running",
                startTime=rfc3339(START - 1000),
                conditions=[{"type": "Ready", "status": "True", "lastTransitionTime": rfc3339(START - 900)}],
            )

        world.edit("pods", key, change)
    world.settle()


def use(world: World, amounts: Iterable[str], resource: str = "cpu") -> None:
    """The pods use so much, in the order of their names."""
    for key in world.keys("pods.metrics.k8s.io"):
        world.remove("pods.metrics.k8s.io", key)
    for key, amount in zip(world.keys("pods"), amounts, strict=False):
        world.put("pods.metrics.k8s.io", {
            "metadata": {"name": key.partition("/")[2], "namespace": "default"},
            "timestamp": rfc3339(world.now), "window": "15s",
            "containers": [{"name": "main", "usage": {resource: amount}}],
        })  # fmt: skip


def look(world: World) -> int:
    """The autoscaler looks once; the pods wanted then."""
    world.run(autoscaler.ROLE, KEY)
    world.settle()
    found = world.get("deployments.apps", KEY)
    assert found is not None
    return int(found["spec"]["replicas"])


def status(world: World) -> Object:
    found = world.get(RESOURCE, KEY)
    assert found is not None
    return dict(found["status"])


def condition(world: World, kind: str) -> tuple[str, str]:
    found = next(c for c in status(world)["conditions"] if c["type"] == kind)
    return found["status"], found["reason"]


@pytest.mark.parametrize(
    ("used", "wanted"),
    [
        (["50m", "50m"], 2),
        (["54m", "54m"], 2),  # within a tenth
        (["75m", "75m"], 3),
        (["100m", "100m"], 4),
        (["100m", "20m"], 3),
        (["200m", "200m"], 4),  # at most twice as many at a time, or four
    ],
)
def test_as_many_pods_as_make_the_average_what_it_should_be(
    world: World, used: list[str], wanted: int
) -> None:
    running(world, 2)
    put(world)
    use(world, used)
    assert look(world) == wanted


def test_what_was_done_is_told(world: World) -> None:
    running(world, 2)
    put(world)
    use(world, ["75m", "75m"])
    look(world)
    assert status(world)["currentMetrics"] == [
        {
            "type": "Resource",
            "resource": {"name": "cpu", "current": {"averageUtilization": 75, "averageValue": "75m"}},
        }
    ]
    assert status(world)["desiredReplicas"] == 3
    assert status(world)["lastScaleTime"] == rfc3339(world.now)
    assert condition(world, "AbleToScale") == ("True", "SucceededRescale")
    assert condition(world, "ScalingActive") == ("True", "ValidMetricFound")
    assert condition(world, "ScalingLimited") == ("False", "DesiredWithinRange")
    assert [event.message for event in world.events if event.reason == "SuccessfulRescale"] == [
        "New size: 3; reason: cpu resource utilization (percentage of request) above target"
    ]


def test_it_looks_every_fifteen_seconds(world: World) -> None:
    running(world, 2)
    put(world)
    world.settle()
    use(world, ["75m", "75m"])
    world.advance(15)
    found = world.get("deployments.apps", KEY)
    assert found is not None
    assert found["spec"]["replicas"] == 3


def test_without_measurements_nothing_changes_and_it_says_why(world: World) -> None:
    running(world, 2)
    put(world)
    assert look(world) == 2
    assert condition(world, "ScalingActive") == ("False", "FailedGetResourceMetric")
    why = (
        "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource "
        "metrics API"
    )
    assert [(event.reason, event.message) for event in world.events[-2:]] == [
        ("FailedGetResourceMetric", why),
        (
            "FailedComputeMetricsReplicas",
            f"invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {why}",
        ),
    ]


def test_pods_that_ask_for_nothing_have_no_utilization(world: World) -> None:
    running(world, 1)
    key = world.keys("pods")[0]
    world.edit("pods", key, lambda p: p["spec"]["containers"][0].pop("resources"))
    put(world)
    use(world, ["75m"])
    look(world)
    assert "missing request for cpu in container main of Pod" in world.events[-2].message


def test_an_amount_for_each_pod(world: World) -> None:
    running(world, 2)
    target = {"type": "AverageValue", "averageValue": "100Mi"}
    put(world, {"type": "Resource", "resource": {"name": "memory", "target": target}})
    use(world, ["150Mi", "150Mi"], "memory")
    assert look(world) == 3
    assert status(world)["currentMetrics"][0]["resource"]["current"] == {"averageValue": str(150 * 2**20)}


def test_one_container_of_each_pod(world: World) -> None:
    running(world, 2)
    target = {"type": "Utilization", "averageUtilization": 50}
    put(
        world,
        {
            "type": "ContainerResource",
            "containerResource": {"name": "cpu", "container": "main", "target": target},
        },
    )
    use(world, ["75m", "75m"])
    assert look(world) == 3


def test_the_largest_answer_of_several_counts(world: World) -> None:
    running(world, 2)
    memory = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "30m"}},
    }
    put(world, cpu(100), memory)
    use(world, ["60m", "60m"])
    assert look(world) == 4


def test_no_pods_go_while_one_metric_is_unknown_but_more_may_come(world: World) -> None:
    running(world, 2)
    unknown = {
        "type": "Pods",
        "pods": {"metric": {"name": "hits"}, "target": {"type": "AverageValue", "averageValue": "1"}},
    }
    put(world, cpu(), unknown)
    use(world, ["10m", "10m"])
    assert look(world) == 2
    assert condition(world, "ScalingActive") == ("False", "FailedGetPodsMetric")
    use(world, ["100m", "100m"])
    assert look(world) == 4


@pytest.mark.parametrize(
    ("used", "wanted"), [(["10m", "10m"], 3), (["100m", "100m"], 4), (["60m", "60m"], 3)]
)
def test_a_pod_of_which_nothing_is_known_makes_the_answer_careful(
    world: World, used: list[str], wanted: int
) -> None:
    """It counts as busy when pods are to go, and as idle when pods are to come."""
    running(world, 3)
    put(world, behavior={"scaleDown": {"stabilizationWindowSeconds": 0}})
    use(world, used)
    assert look(world) == wanted


def test_a_pod_that_is_just_starting_does_not_count(world: World) -> None:
    running(world, 2)
    new = world.keys("pods")[0]
    world.edit("pods", new, lambda p: p["status"].update(
        startTime=rfc3339(START - 10),
        conditions=[{"type": "Ready", "status": "False", "lastTransitionTime": rfc3339(START - 10)}],
    ))  # fmt: skip
    put(world)
    use(world, ["900m", "50m"])
    assert look(world) == 2


def test_pods_go_only_after_what_was_recommended_lately(world: World) -> None:
    running(world, 4)
    put(world)
    use(world, ["50m"] * 4)
    assert look(world) == 4
    world.now += 15
    use(world, ["10m"] * 4)
    assert look(world) == 4
    assert condition(world, "AbleToScale") == ("True", "ScaleDownStabilized")
    world.now += 299
    assert look(world) == 4
    world.now += 2
    assert look(world) == 1
    assert [e.message for e in world.events if e.reason == "SuccessfulRescale"] == [
        "New size: 1; reason: All metrics below target"
    ]


def test_nothing_is_written_while_nothing_changes(world: World) -> None:
    running(world, 2)
    put(world)
    use(world, ["50m", "50m"])
    look(world)
    before = world.revision
    world.now += 15
    look(world)
    assert world.revision == before


@pytest.mark.parametrize(("replicas", "wanted"), [(1, 2), (12, 10)])
def test_the_bounds_hold_whatever_is_measured(world: World, replicas: int, wanted: int) -> None:
    running(world, replicas)
    put(world, minReplicas=2)
    assert look(world) == wanted


def test_more_than_the_maximum_is_told(world: World) -> None:
    running(world, 3)
    put(world, maxReplicas=4)
    use(world, ["100m"] * 3)
    assert look(world) == 4
    assert condition(world, "ScalingLimited") == ("True", "TooManyReplicas")


def test_nothing_is_done_with_what_was_scaled_to_zero(world: World) -> None:
    running(world, 0)
    put(world)
    assert look(world) == 0
    assert condition(world, "ScalingActive") == ("False", "ScalingDisabled")


def policies(direction: str, *given: tuple[str, int, int], **more: Any) -> Object:
    made = [{"type": kind, "value": value, "periodSeconds": period} for kind, value, period in given]
    return {direction: {"policies": made, "stabilizationWindowSeconds": 0, **more}}


def test_it_grows_no_faster_than_its_policies_say(world: World) -> None:
    running(world, 2)
    put(world, behavior=policies("scaleUp", ("Pods", 1, 60)))
    use(world, ["100m"] * 2)
    assert look(world) == 3
    assert condition(world, "ScalingLimited") == ("True", "ScaleUpLimit")
    world.now += 30
    make_ready(world)
    use(world, ["100m"] * 3)
    assert look(world) == 3
    world.now += 31
    assert look(world) == 4


def test_of_two_policies_the_larger_or_the_smaller_counts(world: World) -> None:
    for select, wanted in (("Max", 8), ("Min", 5), ("Disabled", 4)):
        world = World([deployments.ROLE, replicaset.role(30), autoscaler.ROLE])
        running(world, 4)
        given = policies("scaleUp", ("Pods", 1, 60), ("Percent", 100, 60), selectPolicy=select)
        put(world, behavior=given)
        use(world, ["200m"] * 4)
        assert look(world) == wanted


def test_it_shrinks_no_faster_than_its_policies_say(world: World) -> None:
    running(world, 10)
    put(world, behavior=policies("scaleDown", ("Percent", 20, 60)))
    use(world, ["5m"] * 10)
    assert look(world) == 8
    assert condition(world, "ScalingLimited") == ("True", "ScaleDownLimit")
    assert look(world) == 8


def test_it_grows_only_after_what_was_recommended_lately(world: World) -> None:
    running(world, 2)
    put(
        world,
        behavior={
            "scaleUp": {
                "stabilizationWindowSeconds": 60,
                "policies": [{"type": "Pods", "value": 9, "periodSeconds": 15}],
            }
        },
    )
    use(world, ["50m", "50m"])
    look(world)
    world.now += 15
    use(world, ["100m", "100m"])
    assert look(world) == 2
    assert condition(world, "AbleToScale") == ("True", "ScaleUpStabilized")
    world.now += 61
    assert look(world) == 4


def test_a_tolerance_of_its_own(world: World) -> None:
    running(world, 2)
    put(
        world,
        behavior={
            "scaleUp": {"tolerance": "600m", "policies": [{"type": "Pods", "value": 9, "periodSeconds": 15}]}
        },
    )
    use(world, ["75m", "75m"])
    assert look(world) == 2


def test_a_target_that_is_not_there_is_told(world: World) -> None:
    put(world)
    world.run(autoscaler.ROLE, KEY)
    assert condition(world, "AbleToScale") == ("False", "FailedGetScale")


def test_two_autoscalers_of_one_target_do_nothing(world: World) -> None:
    running(world, 2)
    put(world)
    put(world, name="other")
    use(world, ["100m", "100m"])
    assert look(world) == 2
    assert condition(world, "ScalingActive") == ("False", "AmbiguousSelector")
