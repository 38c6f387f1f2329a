"""The subresource `resize`: cpu and memory of a pod's containers change by it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from app.base.errors import Forbidden, Invalid
from app.schemas import kinds

STRATEGIC = "application/strategic-merge-patch+json"
SMALL = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "128Mi"}}


def pod_with(make: Any, asked: dict[str, Any], **spec: Any) -> Any:
    pod = make.pod()
    pod["spec"]["containers"][0]["resources"] = asked
    pod["spec"].update(spec)
    return pod


def resized(world: Any, resources: dict[str, Any], **container: Any) -> Any:
    body = {"spec": {"containers": [{"name": "web", "resources": resources, **container}]}}
    return world.patch("pods", "p", body, STRATEGIC, "resize")


def refusal(world: Any, resources: dict[str, Any], **container: Any) -> list[str]:
    with pytest.raises(Invalid) as refused:
        resized(world, resources, **container)
    return [f"{cause.field}: {cause.message}" for cause in refused.value.causes]


def test_cpu_and_memory_change_and_count_as_a_new_generation(world: Any, make: Any) -> None:
    before = world.create("pods", pod_with(make, SMALL))

    pod = resized(world, {"requests": {"cpu": "150m"}, "limits": {"cpu": "300m", "memory": "100Mi"}})

    (container,) = pod["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "150m", "memory": "64Mi"},
        "limits": {"cpu": "300m", "memory": "100Mi"},
    }
    assert pod["metadata"]["generation"] == before["metadata"]["generation"] + 1


def test_by_that_way_nothing_else_changes(world: Any, make: Any) -> None:
    world.create("pods", pod_with(make, SMALL))

    body = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"hostname": "x", "containers": [{"name": "web", "image": "other", "resources": SMALL}]},
    }
    pod = world.patch("pods", "p", body, STRATEGIC, "resize")

    assert "hostname" not in pod["spec"]
    assert pod["metadata"]["labels"] == {"app": "web"}
    assert pod["spec"]["containers"][0]["image"] != "other"


def test_by_the_other_way_resources_do_not_change(world: Any, make: Any) -> None:
    world.create("pods", pod_with(make, SMALL))

    body = {"spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "150m"}}}]}}
    with pytest.raises(Invalid, match="pod updates may not change fields other than"):
        world.patch("pods", "p", body, STRATEGIC)


def test_the_class_of_service_stays(world: Any, make: Any) -> None:
    world.create("pods", pod_with(make, SMALL))

    equal = {"cpu": "200m", "memory": "128Mi"}
    assert refusal(world, {"requests": equal, "limits": equal}) == [
        'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing'
    ]


def test_what_was_asked_for_is_not_taken_back(world: Any, make: Any) -> None:
    world.create("pods", pod_with(make, SMALL))

    assert refusal(world, {"limits": {"cpu": None}}) == [
        "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"
    ]


@pytest.mark.parametrize(
    ("resources", "more", "message"),
    [
        (
            {"limits": {"ephemeral-storage": "1Gi"}},
            {},
            "spec: Forbidden: only cpu and memory resources are mutable",
        ),
        (
            {"requests": {"cpu": "150m"}},
            {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]},
            "spec: Forbidden: only cpu and memory resources are mutable",
        ),
        (
            {"requests": {"cpu": "300m"}},
            {},
            'spec.containers[0].resources.requests: Invalid value: "300m": '
            "must be less than or equal to cpu limit of 200m",
        ),
    ],
)
def test_what_else_is_refused(
    world: Any, make: Any, resources: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    world.create("pods", pod_with(make, SMALL))

    assert message in refusal(world, resources, **more)


def test_init_containers_that_end_keep_what_they_have(world: Any, make: Any) -> None:
    setup = {"name": "setup", "image": "busybox", "resources": SMALL}
    world.create("pods", pod_with(make, SMALL, initContainers=[setup]))

    more = {"requests": {"cpu": "150m"}}
    body = {"spec": {"initContainers": [{"name": "setup", "resources": more}]}}
    with pytest.raises(Invalid, match="resources for non-sidecar init containers are immutable"):
        world.patch("pods", "p", body, STRATEGIC, "resize")


def test_a_sidecar_is_resized_as_any_container(world: Any, make: Any) -> None:
    helper = {"name": "helper", "image": "busybox", "restartPolicy": "Always", "resources": SMALL}
    world.create("pods", pod_with(make, SMALL, initContainers=[helper]))

    more = {"requests": {"cpu": "150m"}}
    body = {"spec": {"initContainers": [{"name": "helper", "resources": more}]}}
    pod = world.patch("pods", "p", body, STRATEGIC, "resize")

    assert pod["spec"]["initContainers"][0]["resources"]["requests"]["cpu"] == "150m"


def test_a_pod_with_resources_of_its_own_is_not_resized(world: Any, make: Any) -> None:
    world.create("pods", pod_with(make, SMALL, resources={"limits": {"cpu": "1", "memory": "1Gi"}}))

    assert refusal(world, {"limits": {"cpu": "300m"}}) == [
        ": Forbidden: pods with pod-level resources cannot be resized"
    ]


def test_a_node_that_does_not_say_what_containers_have_can_not_resize(world: Any, make: Any) -> None:
    pod = world.create("pods", pod_with(make, SMALL))
    running = {
        "name": "web", "state": {"running": {}}, "ready": True, "restartCount": 0, "image": "", "imageID": "",
        "lastState": {},
    }  # fmt: skip
    world.put("pods", {**pod, "status": {"containerStatuses": [running]}}, "status")

    assert refusal(world, {"requests": {"cpu": "150m"}}) == [
        "spec: Forbidden: Pod running on node without support for resize"
    ]


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        (
            [{"resourceName": "pods", "restartPolicy": "NotRequired"}],
            'Unsupported value: "pods": supported values: "cpu", "memory"',
        ),
        (
            [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}],
            "Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'",
        ),
    ],
)
def test_a_policy_says_what_can_be_done(world: Any, make: Any, policies: Any, message: str) -> None:
    pod = pod_with(make, SMALL, restartPolicy="Never")
    pod["spec"]["containers"][0]["resizePolicy"] = policies

    with pytest.raises(Invalid) as refused:
        world.create("pods", pod)

    assert [c.message for c in refused.value.causes] == [message]


def test_a_quota_and_a_limit_range_hold_for_what_is_added(world: Any, make: Any) -> None:
    hard = {"hard": {"requests.cpu": "500m"}}
    world.create("resourcequotas", {"metadata": {"name": "q"}, "spec": hard})
    most = {"limits": [{"type": "Container", "max": {"memory": "256Mi"}}]}
    world.create("limitranges", {"metadata": {"name": "l"}, "spec": most})
    world.create("pods", pod_with(make, SMALL))

    with pytest.raises(Forbidden, match="exceeded quota: q, requested: requests.cpu=500m"):
        resized(world, {"requests": {"cpu": "600m"}, "limits": {"cpu": "600m"}})
    with pytest.raises(Forbidden, match="maximum memory usage per Container is 256Mi, but limit is 512Mi"):
        resized(world, {"limits": {"memory": "512Mi"}})


def test_it_can_be_applied_and_then_has_an_owner(world: Any, make: Any) -> None:
    world.create("pods", pod_with(make, SMALL))
    config = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {"a": "b"}},
        "spec": {
            "containers": [{"name": "web", "image": "other", "resources": {"requests": {"cpu": "150m"}}}]
        },
    }
    kind = kinds.by_resource("pods")
    request = world.request(field_manager="autoscaler", force=True)

    world.registry.apply(request, kind, "default", "p", config, "resize")

    pod = world.get("pods", "default/p")
    assert pod["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "150m", "memory": "64Mi"}
    assert pod["spec"]["containers"][0]["image"] != "other"
    assert pod["metadata"]["labels"] == {"app": "web"}
    (entry,) = [e for e in pod["metadata"]["managedFields"] if e["manager"] == "autoscaler"]
    assert (entry["operation"], entry["subresource"]) == ("Apply", "resize")
    assert "f:labels" not in str(entry)


def test_a_pod_asks_as_a_whole_for_no_less_than_its_containers(world: Any, make: Any) -> None:
    whole = {"requests": {"cpu": "50m"}, "limits": {"cpu": "100m", "example.com/foo": "1"}}

    with pytest.raises(Invalid) as refused:
        world.create("pods", pod_with(make, SMALL, resources=whole))

    assert [f"{cause.field}: {cause.message}" for cause in refused.value.causes] == [
        'spec.resources.limits[example.com/foo]: Unsupported value: "example.com/foo": '
        'supported values: "cpu", "memory"',
        'spec.resources.requests[example.com/foo]: Unsupported value: "example.com/foo": '
        'supported values: "cpu", "memory"',
        'spec.resources.requests[cpu]: Invalid value: "50m": '
        "must be greater than or equal to aggregate container requests of 100m",
        'spec.containers[0].resources.limits[cpu]: Invalid value: "200m": '
        "must be less than or equal to pod limits of 100m",
    ]


def test_what_a_pod_leaves_unsaid_of_its_requests_follows(world: Any, make: Any) -> None:
    whole = {"limits": {"cpu": "1", "memory": "1Gi"}}
    asked = {"requests": {"cpu": "100m"}}

    pod = world.create("pods", pod_with(make, asked, resources=whole))

    assert pod["spec"]["resources"]["requests"] == {"cpu": "100m", "memory": "1Gi"}
    assert pod["status"]["qosClass"] == "Burstable"
    equal = {"metadata": {"name": "q"}, "spec": pod_with(make, {}, resources=whole)["spec"]}
    assert world.create("pods", equal)["status"]["qosClass"] == "Guaranteed"


def test_a_pod_that_asks_as_a_whole_for_less_than_nothing_is_refused(world: Any, make: Any) -> None:
    with pytest.raises(Invalid) as refused:
        world.create("pods", pod_with(make, {}, resources={"requests": {"cpu": "-1"}}))

    assert "spec.resources.requests[cpu]" in {cause.field for cause in refused.value.causes}
