"""The v1 Node that an agent reports for its machine. Pure but for `own_address`."""

from __future__ import annotations

import socket
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from app.base.clock import rfc3339
from app.base.settings import Settings
from app.base.version import GIT_VERSION
from app.objects import quantity
from app.objects.change import Object
from app.objects.persistent import FOLDER
from workers.agent.node.allocatable import allocatable
from workers.agent.pressure.thresholds import Threshold
from workers.agent.resizing.devices import GPU
from workers.runtime.protocol import NodeInfo

QUEUE_ANNOTATION = "beanpole.dev/queue"
SHUTTING_DOWN = "node is shutting down"
# Condition, what a machine runs short of, and kubelet's reason and message when it has enough and when not.
_PRESSURES = (
    (
        "MemoryPressure",
        ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    ),
    (
        "DiskPressure",
        ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("KubeletHasDiskPressure", "kubelet has disk pressure"),
    ),
    (
        "PIDPressure",
        ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
    ),
)


@dataclass(frozen=True, slots=True)
class Registered:
    """What whoever runs the agent says of the node.

    Attributes:
        labels: besides the usual ones. taints: when it registers; later they are others' to say.
        reserved: what pods don't get, in billionths. thresholds: below which they would be evicted.
    """

    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[Object, ...] = ()
    reserved: dict[str, int] = field(default_factory=dict)
    thresholds: tuple[Threshold, ...] = ()


def capacity_of(info: NodeInfo) -> dict[str, str]:
    """What the machine has, as quantities by the names of resources."""
    return {
        "cpu": quantity.of_millis(info.cpu_millis),
        "ephemeral-storage": f"{info.disk_bytes >> 10}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": f"{info.memory_bytes >> 10}Ki",
        "pods": str(info.max_pods),
        **({GPU: str(len(info.gpus))} if info.gpus else {}),
    }


def node_object(
    name: str,
    queue: str,
    address: str,
    info: NodeInfo,
    pressures: Collection[str],
    before: Object | None,
    now: float,
    *,
    trouble: str = "",
    problems: str = "",
    volumes: str = "",
    registered: Registered | None = None,
) -> Object:
    """The node as it is now.

    Args:
        queue: where nudges for this node go. pressures: the conditions that tell of some and are True. before: what was reported last, whose times of transition stand.
        trouble: why no pods can run here, if so. problems: what does not work besides.
        volumes: the folder below which its persistent volumes lie.
    """
    registered = registered or Registered()
    os_name, arch = "linux", _arch(info.architecture)
    labels = {
        "beta.kubernetes.io/arch": arch,
        "beta.kubernetes.io/os": os_name,
        "kubernetes.io/arch": arch,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": os_name,
        **registered.labels,
    }
    capacity = capacity_of(info)
    ready = trouble or problems or "kubelet is posting ready status"
    conditions = [
        *(_pressure(type_, type_ in pressures, *words) for type_, *words in _PRESSURES),
        {
            "type": "Ready",
            "status": "False" if trouble else "True",
            "reason": "KubeletNotReady" if trouble else "KubeletReady",
            "message": ready,
        },
    ]
    status = {
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "allocatable": allocatable(capacity, registered.reserved, registered.thresholds),
        "capacity": capacity,
        "conditions": [_timed(c, before, now) for c in conditions],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": {
            "architecture": arch,
            "bootID": info.boot_id,
            "containerRuntimeVersion": info.runtime_version,
            "kernelVersion": info.kernel_version,
            "kubeProxyVersion": GIT_VERSION,
            "kubeletVersion": GIT_VERSION,
            "machineID": info.machine_id,
            "operatingSystem": os_name,
            "osImage": info.os_image,
            "systemUUID": info.machine_id,
        },
    }
    annotations = {QUEUE_ANNOTATION: queue, **({FOLDER: volumes} if volumes else {})}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
        "spec": {"taints": list(registered.taints)} if registered.taints else {},
        "status": status,
    }


def says_the_same(one: Object | None, other: Object) -> bool:
    """Whether two reports differ in nothing but the time of the last heartbeat, which the node's Lease tells."""
    return one is not None and _without_heartbeats(one) == _without_heartbeats(other)


def own_address(settings: Settings) -> str:
    """The address by which other machines reach this one: that from which it reaches the API, or if that is
    itself, the outside. No packet is sent."""
    for host in (urlsplit(settings.server).hostname or "", "192.0.2.1"):
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((host, 9))
                address = str(probe.getsockname()[0])
        except OSError:
            continue
        if not address.startswith("127."):
            return address
    return "127.0.0.1"


def _pressure(type_: str, short: bool, well: tuple[str, str], unwell: tuple[str, str]) -> Object:
    reason, message = unwell if short else well
    return {"type": type_, "status": "True" if short else "False", "reason": reason, "message": message}


def _timed(condition: Object, before: Object | None, now: float) -> Object:
    old: Object = next(
        (
            c
            for c in ((before or {}).get("status") or {}).get("conditions") or ()
            if c["type"] == condition["type"]
        ),
        {},
    )
    since = old.get("lastTransitionTime") if old.get("status") == condition["status"] else None
    return {**condition, "lastHeartbeatTime": rfc3339(now), "lastTransitionTime": since or rfc3339(now)}


def _without_heartbeats(node: Object) -> Object:
    status = node["status"]
    conditions = [{k: v for k, v in c.items() if k != "lastHeartbeatTime"} for c in status["conditions"]]
    return {**node, "status": {**status, "conditions": conditions}}


def _arch(machine: str) -> str:
    return {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}.get(machine, machine)
