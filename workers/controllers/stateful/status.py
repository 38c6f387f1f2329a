"""What a StatefulSet says of itself: how many pods there are, of which revision, and whether an update is through."""

from __future__ import annotations

from collections.abc import Sequence

from app.objects import pods
from app.objects.change import Object
from app.objects.meta import is_deleting, labels
from workers.controllers.revisions import POD_LABEL


def reported(
    stateful_set: Object, members: Sequence[Object], current: str, newest: str, now: float
) -> tuple[Object, float | None]:
    """The set with its status as of now (itself if nothing changed), and the seconds until the next pod will have been
    ready for minReadySeconds (None if none is waiting).

    Args:
        current, newest: the names of the revision before the update, and of the one it leads to.
    """
    wait_for = stateful_set["spec"].get("minReadySeconds") or 0
    ready = available = of_current = of_newest = 0
    wait: float | None = None
    for pod in members:
        if is_up(pod):
            ready += 1
            left = (pods.available_at(pod, wait_for) or 0.0) - now if wait_for else 0.0
            if left <= 0:
                available += 1
            else:
                wait = left if wait is None else min(wait, left)
        if not is_deleting(pod):
            revision = labels(pod).get(POD_LABEL)
            of_current += revision == current
            of_newest += revision == newest
    size = stateful_set["spec"]["replicas"]
    if _rolls(stateful_set) and of_newest == ready == len(members) == size:
        current, of_current = newest, of_newest
    before = stateful_set.get("status") or {}
    status: Object = {
        "observedGeneration": stateful_set["metadata"].get("generation", 1),
        "replicas": len(members),
        "readyReplicas": ready,
        "currentReplicas": of_current,
        "updatedReplicas": of_newest,
    }
    status = {name: count for name, count in status.items() if count or name == "replicas"}
    status["availableReplicas"] = available
    status["currentRevision"], status["updateRevision"] = current, newest
    status["collisionCount"] = int(before.get("collisionCount") or 0)
    if before.get("conditions"):
        status["conditions"] = before["conditions"]
    return (stateful_set if status == before else {**stateful_set, "status": status}), wait


def is_up(pod: Object) -> bool:
    """Whether the pod is Running and Ready."""
    return (pod.get("status") or {}).get("phase") == "Running" and pods.is_ready(pod)


def _rolls(stateful_set: Object) -> bool:
    return (stateful_set["spec"].get("updateStrategy") or {}).get("type") != "OnDelete"
