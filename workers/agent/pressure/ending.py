"""Pods that the node itself ends: evicted, rejected, or because the machine goes.

Such a pod fails for good. Its containers are stopped, within a grace period of the node's choice, and once nothing of
it runs it is Failed; whoever made it may make another one elsewhere.
https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
"""

from __future__ import annotations

from app.objects.change import Object
from app.objects.pods import is_terminal
from workers.agent.pod import grace
from workers.agent.pressure.eviction import EVICTED
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings

# What a pod gets that has to go at once (kubelet: immediateEvictionGracePeriodSeconds). Seconds.
AT_ONCE = 1.0
TERMINATED = "Terminated"
SHUTDOWN = "Pod was terminated in response to imminent node shutdown."
DISRUPTED = "TerminationByKubelet"
REJECTED = "Pod was rejected: "


def is_over(record: Record) -> bool:
    """Whether nothing of the pod is to run any more."""
    return record.finished or record.deleting or record.memory.failed is not None or is_terminal(record.pod)


def evict(
    around: Surroundings, record: Record, message: str, seconds: float = AT_ONCE, *, disrupted: bool = True
) -> bool:
    """End the pod as evicted, which `message` tells its users the reason of. False if it is ending already. It is to be
    woken afterwards. `disrupted`: the node is short of something, and not the pod over a limit of its own; only the
    former is a disruption (kubelet: `DisruptionTarget`), which a Job may leave uncounted."""
    if not terminate(record, EVICTED, message, seconds):
        return False
    record.memory.disrupted = disrupted
    around.notes.tell(record.pod, EVICTED, message, warning=True)
    return True


def terminate(record: Record, reason: str, message: str, seconds: float) -> bool:
    """End the pod within `seconds`, or its own grace period if that is shorter. False if it is ending already."""
    if is_over(record):
        return False
    record.memory.failed = (reason, message)
    record.memory.end_grace = min(seconds, grace(record.pod))
    record.memory.disrupted = True
    return True


def reject(around: Surroundings, record: Record, reason: str, message: str) -> None:
    """Never begin the pod: the node can't take it."""
    record.memory.failed = (reason, REJECTED + message)
    record.memory.rejected = True
    around.notes.tell(record.pod, reason, message, warning=True)


def recall(record: Record) -> None:
    """What an agent before this one had begun to end is ended: the pod's status says so."""
    status = record.pod.get("status") or {}
    if status.get("phase") == "Failed" and str(status.get("message") or "").startswith(REJECTED):
        record.memory.failed, record.memory.rejected = (str(status.get("reason")), status["message"]), True
    for condition in status.get("conditions") or ():
        by_us = condition.get("type") == "DisruptionTarget" and condition.get("reason") == DISRUPTED
        if by_us and condition.get("status") == "True" and not is_terminal(record.pod):
            message = str(condition.get("message") or "")
            terminate(record, TERMINATED if message == SHUTDOWN else EVICTED, message, AT_ONCE)


def of_rejected(status: Object) -> Object:
    """The status of a pod that was never begun: there is nothing to say of its containers."""
    kept = {key: value for key, value in status.items() if not key.lower().endswith("containerstatuses")}
    return {**kept, "conditions": [c for c in status["conditions"] if c["type"] == "PodScheduled"]}
