"""The v1 Node that an agent reports for its machine. Pure but for `pressures` and `own_address`."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from app.base.clock import rfc3339
from app.base.settings import Settings
from app.base.version import GIT_VERSION
from app.objects import quantity
from app.objects.change import Object
from app.objects.persistent import FOLDER
from workers.runtime.protocol import NodeInfo

QUEUE_ANNOTATION = "beanpole.dev/queue"
# Which Kubernetes an agent behaves like, as `kubectl get nodes` shows it.
# Kubelet's default eviction thresholds: free memory, free part of the disk.
LEAST_MEMORY = 100 << 20
LEAST_DISK = 0.1


@dataclass(frozen=True, slots=True)
class Pressures:
    """What the machine is short of."""

    memory: bool = False
    disk: bool = False
    pids: bool = False


def node_object(
    name: str,
    queue: str,
    address: str,
    info: NodeInfo,
    pressures: Pressures,
    before: Object | None,
    now: float,
    *,
    trouble: str = "",
    problems: str = "",
    volumes: str = "",
) -> Object:
    """The node as it is now.

    Args:
        queue: where nudges for this node go. before: what was reported last, whose times of transition stand.
        trouble: why no pods can run here, if so. problems: what does not work besides.
        volumes: the folder below which its persistent volumes lie.
    """
    os_name, arch = "linux", _arch(info.architecture)
    labels = {
        "beta.kubernetes.io/arch": arch,
        "beta.kubernetes.io/os": os_name,
        "kubernetes.io/arch": arch,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": os_name,
    }
    capacity = {
        "cpu": quantity.of_millis(info.cpu_millis),
        "ephemeral-storage": f"{info.disk_bytes >> 10}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": f"{info.memory_bytes >> 10}Ki",
        "pods": str(info.max_pods),
    }
    ready = trouble or problems or "the agent is posting ready status"
    conditions = [
        _pressure(
            "MemoryPressure", pressures.memory, "KubeletHasSufficientMemory", "KubeletHasInsufficientMemory"
        ),
        _pressure("DiskPressure", pressures.disk, "KubeletHasNoDiskPressure", "KubeletHasDiskPressure"),
        _pressure("PIDPressure", pressures.pids, "KubeletHasSufficientPID", "KubeletHasInsufficientPID"),
        {
            "type": "Ready",
            "status": "False" if trouble else "True",
            "reason": "KubeletNotReady" if trouble else "KubeletReady",
            "message": ready,
        },
    ]
    status = {
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "allocatable": dict(capacity),
        "capacity": capacity,
        "conditions": [_timed(c, before, now) for c in conditions],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": {
            "architecture": arch,
            "bootID": "",
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
        "spec": {},
        "status": status,
    }


def says_the_same(one: Object | None, other: Object) -> bool:
    """Whether two reports differ in nothing but the time of the last heartbeat, which the node's Lease tells."""
    return one is not None and _without_heartbeats(one) == _without_heartbeats(other)


def pressures(folder: Path) -> Pressures:
    """What this machine is short of; `folder` lies on the disk that counts."""
    return Pressures(_short_of_memory(), _short_of_disk(folder), _short_of_pids())


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


def _pressure(type_: str, short: bool, well: str, unwell: str) -> Object:
    word = {"MemoryPressure": "memory", "DiskPressure": "disk space", "PIDPressure": "process ids"}[type_]
    return {
        "type": type_,
        "status": "True" if short else "False",
        "reason": unwell if short else well,
        "message": f"the machine is short of {word}" if short else f"the machine has enough {word}",
    }


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


def _short_of_memory() -> bool:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024 < LEAST_MEMORY
    except (OSError, ValueError, IndexError):
        return False
    return False


def _short_of_disk(folder: Path) -> bool:
    try:
        stat = os.statvfs(folder)
    except OSError:
        return False
    return stat.f_blocks > 0 and stat.f_bavail / stat.f_blocks < LEAST_DISK


def _short_of_pids() -> bool:
    try:
        most = int(Path("/proc/sys/kernel/pid_max").read_text())
        threads = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        return False
    return threads > most * 0.95
