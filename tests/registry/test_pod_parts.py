"""What of a pod changes by which way: its spec hardly, its ephemeral containers by their subresource."""

from __future__ import annotations

from typing import Any

import pytest

from app.base.errors import Invalid, NotFound

DEBUGGER = {"name": "debugger", "image": "busybox", "targetContainerName": "web"}
STRATEGIC = "application/strategic-merge-patch+json"


def debugged(world: Any, *containers: dict[str, Any]) -> Any:
    body = {"spec": {"ephemeralContainers": list(containers)}}
    return world.patch("pods", "p", body, STRATEGIC, "ephemeralcontainers")


def test_an_ephemeral_container_is_added_and_stays_as_it_is(world: Any, make: Any) -> None:
    world.create("pods", make.pod())

    pod = debugged(world, DEBUGGER)

    (added,) = pod["spec"]["ephemeralContainers"]
    assert added["name"] == "debugger"
    assert added["imagePullPolicy"] == "Always"
    pod = debugged(world, {**DEBUGGER, "name": "second"})
    assert [c["name"] for c in pod["spec"]["ephemeralContainers"]] == ["second", "debugger"]
    with pytest.raises(Invalid, match='existing ephemeral containers "debugger" may not be changed'):
        debugged(world, {"name": "debugger", "image": "other"})
    with pytest.raises(Invalid, match='existing ephemeral containers "debugger" may not be removed'):
        world.put("pods", {**pod, "spec": {**pod["spec"], "ephemeralContainers": []}}, "ephemeralcontainers")


def test_by_that_way_nothing_else_changes(world: Any, make: Any) -> None:
    world.create("pods", make.pod())

    body = {"metadata": {"labels": {"a": "b"}}, "spec": {"hostname": "x", "ephemeralContainers": [DEBUGGER]}}
    pod = world.patch("pods", "p", body, STRATEGIC, "ephemeralcontainers")

    assert "hostname" not in pod["spec"]
    assert pod["metadata"]["labels"] == {"app": "web"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"targetContainerName": "nope"}, 'targetContainerName: Not found: "nope"'),
        ({"ports": [{"containerPort": 80}]}, "ports: Forbidden: cannot be set for an Ephemeral Container"),
        (
            {"resources": {"limits": {"cpu": "1"}}},
            "resources: Forbidden: cannot be set for an Ephemeral Container",
        ),
        ({"name": "web"}, 'name: Duplicate value: "web"'),
    ],
)
def test_an_ephemeral_container_is_only_for_looking(
    world: Any, make: Any, more: dict[str, Any], message: str
) -> None:
    world.create("pods", make.pod())

    with pytest.raises(Invalid) as refused:
        debugged(world, {**DEBUGGER, **more})

    assert [f"{cause.field}: {cause.message}" for cause in refused.value.causes] == [
        f"spec.ephemeralContainers[0].{message}"
    ]


def test_an_update_of_the_pod_itself_adds_none_and_shows_what_differs(world: Any, make: Any) -> None:
    world.create("pods", make.pod())

    with pytest.raises(Invalid, match="pod updates may not change fields other than"):
        world.patch("pods", "p", {"spec": {"ephemeralContainers": [DEBUGGER]}}, STRATEGIC)
    with pytest.raises(Invalid) as refused:
        world.patch("pods", "p", {"spec": {"hostname": "x"}})

    assert '- \tHostname: "",\n+ \tHostname: "x",\n' in refused.value.causes[0].message


def test_only_pods_have_ephemeral_containers(world: Any, make: Any) -> None:
    world.create("deployments.apps", make.deployment())

    with pytest.raises(NotFound):
        world.patch("deployments.apps", "web", {}, subresource="ephemeralcontainers")


def test_a_pod_that_waits_at_a_gate_can_be_told_of_nodes(world: Any, make: Any) -> None:
    gates = [{"name": "example.com/wait"}]
    world.create("pods", make.pod(schedulingGates=gates, nodeSelector={"a": "b"}))

    pod = world.patch("pods", "p", {"spec": {"nodeSelector": {"c": "d"}}})
    assert pod["spec"]["nodeSelector"] == {"a": "b", "c": "d"}
    with pytest.raises(Invalid, match="only additions to spec.nodeSelector are allowed"):
        world.patch("pods", "p", {"spec": {"nodeSelector": {"a": "x"}}})
    with pytest.raises(Invalid, match="only deletion is allowed, but found new scheduling gate 'a'"):
        world.patch("pods", "p", {"spec": {"schedulingGates": [{"name": "a"}]}})

    world.patch("pods", "p", {"spec": {"schedulingGates": None}})
    with pytest.raises(Invalid, match="pod updates may not change"):
        world.patch("pods", "p", {"spec": {"nodeSelector": {"e": "f"}}})


def test_what_went_with_the_type_of_a_service_goes_with_it(world: Any, make: Any) -> None:
    world.create("services", make.service(type="LoadBalancer", loadBalancerClass="example.com/lb"))

    plain = world.patch("services", "web", {"spec": {"type": "ClusterIP"}})["spec"]
    gone = {"externalTrafficPolicy", "allocateLoadBalancerNodePorts", "loadBalancerClass"}
    assert not gone & plain.keys()
    assert "nodePort" not in plain["ports"][0]

    named = world.patch("services", "web", {"spec": {"type": "ExternalName", "externalName": "a.b"}})["spec"]
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"} & named.keys()
    with pytest.raises(Invalid, match="may only be set for externally-accessible services"):
        world.patch("services", "web", {"spec": {"externalTrafficPolicy": "Local"}})


def test_component_statuses_say_that_the_store_answers(world: Any) -> None:
    (record,) = world.list("componentstatuses").records

    assert record.obj["metadata"] == {"name": "store"}
    assert record.obj["conditions"] == [{"type": "Healthy", "status": "True", "message": "ok"}]


@pytest.mark.parametrize(
    ("resource", "obj", "status"),
    [
        (
            "persistentvolumeclaims",
            {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
            {"phase": "Pending"},
        ),
        (
            "persistentvolumes",
            {
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "capacity": {"storage": "1Gi"},
                    "nfs": {"server": "a", "path": "/b"},
                }
            },
            {"phase": "Pending"},
        ),
        (
            "ingresses.networking.k8s.io",
            {"spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}},
            {"loadBalancer": {}},
        ),
    ],
)
def test_a_new_object_begins_with_its_first_status(
    world: Any, resource: str, obj: dict[str, Any], status: dict[str, Any]
) -> None:
    made = world.create(resource, {**obj, "metadata": {"name": "x"}, "status": {"phase": "Bound"}})

    assert made["status"] == status
