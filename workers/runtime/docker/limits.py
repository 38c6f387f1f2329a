"""What a container may use, in the words of the engine's API, and back.

Cpu is told as a quota of each period, as kubelet does: what was told as `NanoCpus` can't be changed by a quota later.
"""

from __future__ import annotations

from typing import Any

from workers.runtime import resources
from workers.runtime.protocol import ContainerSpec
from workers.runtime.resources import Limits

# The engine hands GPUs out where it has the runtime of their maker.
GPU_RUNTIME = GPU_DRIVER = "nvidia"
GPU_CAPABILITIES = [["gpu"]]


def host_config(spec: ContainerSpec) -> dict[str, Any]:
    """What of a container's `HostConfig` says what it may use."""
    limits, more = spec.limits, spec.resources
    host: dict[str, Any] = {"CpuShares": limits.cpu_shares}
    if limits.cpu_quota:
        host |= {"CpuPeriod": resources.PERIOD, "CpuQuota": limits.cpu_quota}
    if limits.memory_bytes:
        # The same for memory with swap: no swap, as Kubernetes has it.
        host |= {"Memory": limits.memory_bytes, "MemorySwap": limits.memory_bytes}
    if more.pids:
        host["PidsLimit"] = more.pids
    if more.oom_score_adj:
        host["OomScoreAdj"] = more.oom_score_adj
    if more.gpus:
        gpus = {"Driver": GPU_DRIVER, "DeviceIDs": list(more.gpus), "Capabilities": GPU_CAPABILITIES}
        host["DeviceRequests"] = [gpus]
    return host


def shown(host: dict[str, Any]) -> Limits:
    """What GET /containers/<id>/json tells in its `HostConfig`."""
    quota = resources.millis_of_quota(
        host.get("CpuQuota") or 0, host.get("CpuPeriod") or resources.PERIOD
    ) or ((host.get("NanoCpus") or 0) // 1_000_000)
    return Limits(host.get("CpuShares") or 0, quota, max(0, host.get("Memory") or 0))


def gpus(host: dict[str, Any]) -> tuple[str, ...]:
    """The ids of the GPUs that it has, likewise."""
    asked = host.get("DeviceRequests") or ()
    return tuple(each for request in asked for each in request.get("DeviceIDs") or ())
