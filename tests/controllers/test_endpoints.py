from __future__ import annotations

from typing import Any

import pytest

from app.base.clock import rfc3339
from app.objects.change import Object
from tests.controllers.worlds import START, World, node, pod
from workers.controllers import endpoints

KEY = "default/web"
SLICES = "endpointslices.discovery.k8s.io"


@pytest.fixture
def world() -> World:
    return World([endpoints.ROLE])


def service(**spec: Any) -> Object:
    return {
        "metadata": {"name": "web", "namespace": "default", "labels": {"team": "a"}},
        "spec": {
            "selector": {"app": "web"},
            "clusterIP": "10.96.0.9",
            "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}],
            **spec,
        },
    }


def ready_pod(world: World, name: str, address: str, node_name: str = "n") -> None:
    world.put("pods", pod(name, node_name))
    world.make_ready(f"default/{name}", address)


def told(world: World) -> dict[str, tuple[bool, bool, bool]]:
    """(ready, serving, terminating) by address, over all slices."""
    return {
        e["addresses"][0]: tuple(e["conditions"][c] for c in ("ready", "serving", "terminating"))
        for s in world.list(SLICES)
        for e in s.get("endpoints") or ()
    }  # type: ignore[misc]


def subsets(world: World) -> Any:
    found = world.get("endpoints", KEY)
    assert found is not None
    return found.get("subsets")


def mark(world: World, key: str) -> None:
    world.edit(
        "pods",
        key,
        lambda p: p["metadata"].update(deletionTimestamp=rfc3339(START), deletionGracePeriodSeconds=30),
    )


def test_a_ready_pod_is_an_endpoint_with_all_that_nodes_need(world: World) -> None:
    home = node("n")
    home["metadata"]["labels"]["topology.kubernetes.io/zone"] = "z1"
    world.put("nodes", home)
    made = world.put("services", service())
    ready_pod(world, "a", "10.244.0.5")
    world.settle()
    (slice_,) = world.list(SLICES)
    assert slice_["metadata"]["labels"] == {
        "team": "a",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    assert slice_["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
    assert slice_["addressType"] == "IPv4"
    assert slice_["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    uid = world.get("pods", "default/a")["metadata"]["uid"]  # type: ignore[index]
    reference = {"kind": "Pod", "namespace": "default", "name": "a", "uid": uid}
    assert slice_["endpoints"] == [
        {
            "addresses": ["10.244.0.5"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": reference,
            "nodeName": "n",
            "zone": "z1",
        }
    ]
    assert subsets(world) == [
        {
            "addresses": [{"ip": "10.244.0.5", "nodeName": "n", "targetRef": reference}],
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        }
    ]


def test_a_pod_marked_for_deletion_stops_being_ready_at_once(world: World) -> None:
    world.put("services", service())
    ready_pod(world, "a", "10.244.0.5")
    ready_pod(world, "b", "10.244.0.6")
    world.settle()
    mark(world, "default/a")
    world.settle()
    assert told(world) == {"10.244.0.5": (False, True, True), "10.244.0.6": (True, True, False)}
    assert [a["ip"] for s in subsets(world) for a in s["addresses"]] == ["10.244.0.6"]
    world.remove("pods", "default/a")
    world.settle()
    assert list(told(world)) == ["10.244.0.6"]


def test_a_pod_that_is_not_ready_is_listed_as_such(world: World) -> None:
    world.put("services", service())
    ready_pod(world, "a", "10.244.0.5")
    world.edit("pods", "default/a", lambda p: p["status"].update(conditions=[]))
    world.settle()
    assert told(world) == {"10.244.0.5": (False, False, False)}
    assert "addresses" not in subsets(world)[0]
    assert len(subsets(world)[0]["notReadyAddresses"]) == 1


def test_a_service_may_publish_what_is_not_ready(world: World) -> None:
    world.put("services", service(publishNotReadyAddresses=True))
    ready_pod(world, "a", "10.244.0.5")
    world.edit("pods", "default/a", lambda p: p["status"].update(conditions=[]))
    world.settle()
    assert told(world)["10.244.0.5"][0] is True
    assert len(subsets(world)[0]["addresses"]) == 1


def test_pods_that_are_done_unlabelled_or_without_address_are_left_out(world: World) -> None:
    world.put("services", service())
    for name, address in (("a", "10.244.0.5"), ("b", "10.244.0.6")):
        ready_pod(world, name, address)
    world.put("pods", pod("c", "n"))
    world.settle()
    assert set(told(world)) == {"10.244.0.5", "10.244.0.6"}
    world.edit("pods", "default/a", lambda p: p["status"].update(phase="Failed"))
    world.edit("pods", "default/b", lambda p: p["metadata"].update(labels={"app": "other"}))
    world.settle()
    assert told(world) == {}
    assert subsets(world) is None
    assert len(world.list(SLICES)) == 1


def test_a_named_port_is_looked_up_in_each_pod(world: World) -> None:
    world.put("services", service(ports=[{"port": 80, "targetPort": "web"}]))
    for name, number in (("a", 8080), ("b", 9090)):
        ready_pod(world, name, f"10.244.0.{number % 100}")
        world.edit(
            "pods",
            f"default/{name}",
            lambda p, n=number: p["spec"]["containers"][0].update(
                ports=[{"name": "web", "containerPort": n}]
            ),
        )
    # The ports of a running pod don't change; the Service is looked at again for the test's edit.
    world.run("endpoint-controller", KEY)
    assert sorted(s["ports"][0]["port"] for s in world.list(SLICES)) == [8080, 9090]
    assert sorted(s["ports"][0]["port"] for s in subsets(world)) == [8080, 9090]


def test_many_endpoints_are_cut_into_slices_that_stay(world: World) -> None:
    world.put("services", service())
    for number in range(250):
        ready_pod(world, f"p{number:03}", f"10.244.{number // 200}.{number % 200 + 1}")
    world.settle()
    assert sorted(len(s["endpoints"]) for s in world.list(SLICES)) == [50, 100, 100]
    before = {s["metadata"]["name"]: s["metadata"]["resourceVersion"] for s in world.list(SLICES)}
    mark(world, "default/p000")
    world.settle()
    after = {s["metadata"]["name"]: s["metadata"]["resourceVersion"] for s in world.list(SLICES)}
    assert before.keys() == after.keys()
    assert sum(before[name] != after[name] for name in before) == 1


def test_nothing_is_written_when_nothing_changes(world: World) -> None:
    world.put("services", service())
    ready_pod(world, "a", "10.244.0.5")
    world.settle()
    assert world.plan("endpoint-controller", KEY).writes == ()


def test_classic_endpoints_stop_at_a_thousand_ready_ones_first(world: World) -> None:
    world.put("services", service())
    for number in range(1002):
        world.put("pods", pod(f"p{number:04}", "n"))
        if number:
            world.make_ready(f"default/p{number:04}", f"10.244.{number // 200}.{number % 200 + 1}")
    world.run("endpoint-controller", KEY)
    assert len(subsets(world)[0]["addresses"]) == 1000
    notes = world.get("endpoints", KEY)["metadata"]["annotations"]  # type: ignore[index]
    assert notes == {"endpoints.kubernetes.io/over-capacity": "truncated"}


def test_a_service_without_selector_is_left_to_its_owner(world: World) -> None:
    world.put("services", service(selector=None))
    world.put("endpoints", {"metadata": {"name": "web", "namespace": "default"}, "subsets": []})
    world.settle()
    assert world.list(SLICES) == []
    world.remove("services", KEY)
    world.settle()
    assert world.get("endpoints", KEY) is not None


def test_the_endpoints_of_a_deleted_service_go(world: World) -> None:
    world.put("services", service())
    world.settle()
    world.remove("services", KEY)
    world.settle()
    assert world.get("endpoints", KEY) is None


def test_slices_that_somebody_else_changed_are_put_right(world: World) -> None:
    world.put("services", service())
    ready_pod(world, "a", "10.244.0.5")
    world.settle()
    (slice_,) = world.list(SLICES)
    world.edit(SLICES, f"default/{slice_['metadata']['name']}", lambda s: s.update(endpoints=[]))
    world.settle()
    assert list(told(world)) == ["10.244.0.5"]


def test_pods_on_their_way_make_no_work(world: World) -> None:
    world.put("services", service())
    world.settle()
    world.put("pods", pod("a"))
    world.edit("pods", "default/a", lambda p: p["spec"].update(nodeName="n"))
    assert world.queue == {}
