"""What a pod's resources mean for one of its containers. Pure; the formulas are kubelet's
(https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/, pkg/kubelet/qos/policy.go).

A pod's own `spec.resources` bound its containers together; no runtime here has a bound around several containers. Each
container without a limit of its own is therefore held to the pod's, which comes to the same for a pod of one.
"""

from __future__ import annotations

from app.objects import quantity
from app.objects.change import Object
from app.objects.qos import qos_class
from workers.agent.pod import containers, init_containers, is_sidecar
from workers.runtime.resources import Limits, limits

GUARANTEED, BEST_EFFORT = -997, 1000
# A Burstable container is ended after those that asked for nothing and before those that asked for all they use.
LEAST, MOST = 1000 + GUARANTEED, BEST_EFFORT - 1
NODE_CRITICAL = "system-node-critical"


def amounts(pod: Object, container: Object) -> tuple[int, int, int]:
    """`(cpu asked for, cpu limit, memory limit)` of a container: millicores and bytes, 0 for none."""
    resources = container.get("resources") or {}
    whole = pod["spec"].get("resources") or {}
    most = {**(whole.get("limits") or {}), **(resources.get("limits") or {})}
    asked = resources.get("requests") or {}
    # With requests of its own, a pod shares out what its containers left unsaid.
    unsaid = _shared_out(pod, "cpu") if whole and "cpu" not in asked else None
    cpu = asked.get("cpu", (resources.get("limits") or {}).get("cpu", 0))
    return (
        unsaid if unsaid is not None else quantity.millis(cpu),
        quantity.millis(most.get("cpu", 0)),
        quantity.value(most.get("memory", 0)),
    )


def not_together(pod: Object) -> list[str]:
    """The limits of a pod of its own to which its containers are held each, but not together."""
    limits = (pod["spec"].get("resources") or {}).get("limits") or {}
    several = len(containers(pod)) + sum(map(is_sidecar, init_containers(pod))) > 1
    return [f"spec.resources.limits.{name}" for name in limits] if several else []


def limits_of(pod: Object, container: Object) -> Limits:
    """What the container is held to while it runs."""
    return limits(*amounts(pod, container))


def oom_score_adj(pod: Object, container: Object, capacity: int) -> int:
    """How readily the kernel ends the container when memory runs out. `capacity`: the machine's memory, in bytes."""
    spec = pod["spec"]
    if spec.get("priorityClassName") == NODE_CRITICAL:
        return GUARANTEED
    quality = (pod.get("status") or {}).get("qosClass") or qos_class(spec)
    if quality == "Guaranteed":
        return GUARANTEED
    if quality == "BestEffort" or capacity <= 0:
        return BEST_EFFORT
    score = 1000 - 1000 * _memory_asked(pod, container) // capacity
    if container in init_containers(pod) and is_sidecar(container):
        # A sidecar does not go before the containers that it serves.
        least = min((_memory_asked(pod, each) for each in containers(pod)), default=0)
        score = min(score, 1000 - 1000 * least // capacity)
    return max(LEAST, min(MOST, score))


def _memory_asked(pod: Object, container: Object) -> int:
    own = quantity.value(((container.get("resources") or {}).get("requests") or {}).get("memory", 0))
    if ((pod["spec"].get("resources") or {}).get("requests") or {}).get("memory"):
        return own + _remaining(pod, "memory")
    return own


def _shared_out(pod: Object, name: str) -> int | None:
    """A container's part of a request of the pod that its containers don't use up; None if there is none."""
    asked = (pod["spec"].get("resources") or {}).get("requests") or {}
    return _remaining(pod, name) if name in asked else None


def _remaining(pod: Object, name: str) -> int:
    read = quantity.millis if name == "cpu" else quantity.value
    whole = read(((pod["spec"].get("resources") or {}).get("requests") or {}).get(name, 0))
    mine = [((c.get("resources") or {}).get("requests") or {}).get(name, 0) for c in containers(pod)]
    return max(0, whole - sum(read(each) for each in mine)) // max(1, len(mine))
