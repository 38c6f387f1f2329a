"""Which pods a node takes: pure."""

from __future__ import annotations

from typing import Any

import pytest

from app.base.errors import UserError
from workers.agent.admitting.admission import Room, asked_by, refusal
from workers.agent.node.allocatable import allocatable, reserved
from workers.agent.node.registration import labels, taints
from workers.agent.pressure.thresholds import parse

HAS = {"cpu": "2", "memory": "2Gi", "pods": "3", "ephemeral-storage": "10Gi", "example.com/gpu": "1"}
ROOM = Room("n1", {"disk": "ssd"}, (), HAS)


def pod(name: str = "p", asks: dict[str, str] | None = None, **spec: Any) -> Any:
    container: Any = {"name": "c", "image": "i", "resources": {"requests": asks or {}}}
    if "ports" in spec:
        container["ports"] = spec.pop("ports")
    return {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}


def why(wanted: Any, *others: Any, room: Room = ROOM) -> tuple[str, str] | None:
    found = refusal(wanted, asked_by(wanted), [asked_by(each) for each in others], room)
    return tuple(found) if found else None


def test_a_pod_that_fits_is_taken() -> None:
    assert why(pod(asks={"cpu": "1"}), pod(asks={"cpu": "1"})) is None


@pytest.mark.parametrize(
    ("asks", "taken", "reason", "numbers"),
    [
        ({"cpu": "1500m"}, {"cpu": "1"}, "OutOfcpu", "cpu, requested: 1500, used: 1000, capacity: 2000"),
        ({"memory": "1Gi"}, {"memory": "1025Mi"}, "OutOfmemory",
         "memory, requested: 1073741824, used: 1074790400, capacity: 2147483648"),
        ({"ephemeral-storage": "11Gi"}, {}, "OutOfephemeral-storage",
         "ephemeral-storage, requested: 11811160064, used: 0, capacity: 10737418240"),
        ({"example.com/gpu": "1"}, {"example.com/gpu": "1"}, "OutOfexample.com/gpu",
         "example.com/gpu, requested: 1, used: 1, capacity: 1"),
    ],
)  # fmt: skip
def test_a_pod_for_which_there_is_no_room_is_refused_with_the_numbers(
    asks: dict[str, str], taken: dict[str, str], reason: str, numbers: str
) -> None:
    assert why(pod(asks=asks), pod(asks=taken)) == (reason, f"Node didn't have enough resource: {numbers}")


def test_a_node_takes_so_many_pods_and_no_more() -> None:
    assert why(pod(), pod(), pod()) is None
    assert why(pod(), pod(), pod(), pod()) == (
        "OutOfpods", "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
    )  # fmt: skip


def test_a_pod_for_other_nodes_is_refused() -> None:
    assert why(pod(nodeSelector={"disk": "ssd"})) is None
    assert why(pod(nodeSelector={"disk": "hdd"})) == (
        "NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    )  # fmt: skip


def test_a_port_of_the_node_is_had_once() -> None:
    port = [{"containerPort": 80, "hostPort": 8080}]
    assert why(pod(ports=port), pod()) is None
    found = why(pod(ports=port), pod(ports=port))
    assert found is not None
    assert found[0] == "NodePorts"


def test_only_taints_that_evict_keep_a_bound_pod_off_and_static_pods_stay() -> None:
    soft = Room("n1", {}, [{"key": "a", "effect": "NoSchedule"}], HAS)
    hard = Room("n1", {}, [{"key": "a", "effect": "NoExecute"}], HAS)
    static = pod()
    static["metadata"]["annotations"] = {"kubernetes.io/config.source": "file"}
    assert why(pod(), room=soft) is None
    found = why(pod(), room=hard)
    assert found is not None
    assert found[0] == "TaintToleration"
    assert why(static, room=hard) is None
    assert why(pod(tolerations=[{"key": "a", "operator": "Exists"}]), room=hard) is None


def test_under_memory_pressure_only_pods_that_ask_for_something_are_taken() -> None:
    room = Room("n1", {}, (), HAS, {"MemoryPressure"})
    assert why(pod(), room=room) == ("Evicted", "The node had condition: [MemoryPressure]. ")
    assert why(pod(asks={"memory": "1Mi"}), room=room) is None
    tolerant = [{"key": "node.kubernetes.io/memory-pressure", "operator": "Exists"}]
    assert why(pod(tolerations=tolerant), room=room) is None


def test_under_disk_pressure_only_critical_pods_are_taken() -> None:
    room = Room("n1", {}, (), HAS, {"DiskPressure"})
    assert why(pod(asks={"memory": "1Mi"}), room=room) == (
        "Evicted",
        "The node had condition: [DiskPressure]. ",
    )
    assert why(pod(priority=2_000_001_000), room=room) is None


def test_a_node_that_shuts_down_takes_nothing() -> None:
    assert why(pod(), room=Room("n1", {}, (), HAS, leaving=True)) == (
        "NodeShutdown", "Pod was rejected as the node is shutting down.",
    )  # fmt: skip


def test_pods_get_what_is_not_reserved_and_what_no_threshold_would_take_from_them() -> None:
    capacity = {"cpu": "4", "memory": f"{8 << 20}Ki", "ephemeral-storage": f"{100 << 20}Ki", "pods": "110"}
    found = allocatable(
        capacity, reserved("cpu=500m,memory=1Gi"), parse("memory.available<1Gi,nodefs.available<10%")
    )
    assert found == {
        "cpu": "3500m", "memory": f"{6 << 20}Ki", "ephemeral-storage": f"{90 << 20}Ki", "pods": "110",
    }  # fmt: skip


def test_more_may_be_reserved_than_there_is() -> None:
    assert allocatable({"cpu": "1"}, reserved("cpu=2"), ()) == {"cpu": "0"}


@pytest.mark.parametrize("text", ["cpu", "cpu=fast", "cpu=-1", "gpus=1"])
def test_a_reservation_that_can_not_be_read_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="cpu=500m,memory=1Gi"):
        reserved(text)


def test_labels_and_taints_read_like_kubelets_flags() -> None:
    assert labels("zone=a, tier=") == {"zone": "a", "tier": ""}
    assert taints("dedicated=batch:NoSchedule,gone:NoExecute") == [
        {"key": "dedicated", "value": "batch", "effect": "NoSchedule"}, {"key": "gone", "effect": "NoExecute"},
    ]  # fmt: skip
    for wrong in ("zone", "=a"):
        with pytest.raises(UserError):
            labels(wrong)
    for wrong in ("dedicated=batch", "dedicated=batch:Never"):
        with pytest.raises(UserError):
            taints(wrong)
