"""What can be said of a pod: ready, available, finished, how much it asks for."""

from __future__ import annotations

from app.base.clock import parse_rfc3339
from app.objects import conditions
from app.objects.change import Object
from app.objects.quantity import millis, value

FINISHED = ("Succeeded", "Failed")
# On a pod that only stands for one which its node runs from a file: that one's hash.
MIRROR = "kubernetes.io/config.mirror"


def is_terminal(pod: Object) -> bool:
    """Whether its containers ran for the last time: phase Succeeded or Failed."""
    return (pod.get("status") or {}).get("phase") in FINISHED


def is_active(pod: Object) -> bool:
    """Whether it counts as a replica: neither finished nor marked for deletion."""
    return not pod["metadata"].get("deletionTimestamp") and not is_terminal(pod)


def is_ready(pod: Object) -> bool:
    """Whether its Ready condition is True."""
    return conditions.is_true(pod, "Ready")


def ready_since(pod: Object) -> float | None:
    """When it became Ready, in seconds since the epoch; None if it isn't."""
    condition = conditions.get(pod, "Ready")
    if condition is None or condition.get("status") != "True":
        return None
    moment = condition.get("lastTransitionTime")
    return parse_rfc3339(moment) if moment else 0.0


def is_available(pod: Object, min_ready_seconds: float, now: float) -> bool:
    """Whether it has been Ready for at least `min_ready_seconds`."""
    if min_ready_seconds <= 0:
        return is_ready(pod)
    since = ready_since(pod)
    return since is not None and since + min_ready_seconds <= now


def available_at(pod: Object, min_ready_seconds: float) -> float | None:
    """When it is or was available, if it stays Ready; None if it isn't Ready."""
    since = ready_since(pod)
    return None if since is None else since + max(0.0, min_ready_seconds)


def requests(pod: Object) -> tuple[int, int]:
    """`(cpu in millicores, memory in bytes)` that the pod asks of a node.

    Init containers run one after the other before the rest, so the pod needs the larger of what
    runs at the end and of each init container with the sidecars (init containers with restartPolicy
    Always) started before it (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/).
    Malformed quantities raise ValueError; validation has refused them long before.
    """
    spec = pod.get("spec") or {}
    cpu = memory = 0
    for container in spec.get("containers") or ():
        own_cpu, own_memory = _asked(container)
        cpu += own_cpu
        memory += own_memory
    inits = spec.get("initContainers")
    if inits:
        sidecar_cpu = sidecar_memory = peak_cpu = peak_memory = 0
        for container in inits:
            own_cpu, own_memory = _asked(container)
            peak_cpu = max(peak_cpu, sidecar_cpu + own_cpu)
            peak_memory = max(peak_memory, sidecar_memory + own_memory)
            if container.get("restartPolicy") == "Always":
                sidecar_cpu += own_cpu
                sidecar_memory += own_memory
        cpu = max(cpu + sidecar_cpu, peak_cpu)
        memory = max(memory + sidecar_memory, peak_memory)
    overhead = spec.get("overhead")
    if overhead:
        cpu += millis(overhead.get("cpu", 0))
        memory += value(overhead.get("memory", 0))
    return cpu, memory


def _asked(container: Object) -> tuple[int, int]:
    """A container's requests; a limit without a request is one (Kubernetes defaults it so)."""
    resources = container.get("resources")
    if not resources:
        return 0, 0
    limits = resources.get("limits") or {}
    asked = resources.get("requests") or {}
    return (
        millis(asked.get("cpu", limits.get("cpu", 0))),
        value(asked.get("memory", limits.get("memory", 0))),
    )
