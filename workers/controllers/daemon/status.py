"""What a DaemonSet says of itself: on how many nodes it should run, and does."""

from __future__ import annotations

from collections.abc import Sequence

from app.objects import pods
from app.objects.change import Object
from workers.controllers.daemon.steps import Place


def reported(daemon_set: Object, places: Sequence[Place], ready: frozenset[str]) -> Object:
    """The set with its status as of now; itself if nothing changed. `ready` are the names of pods that are; a pod
    that is terminating counts as there, and as nothing more. Of several pods on a node the oldest speaks for it."""
    wanted = [place for place in places if place.fit.gets]
    speaking = [place.pods[0] for place in wanted if place.pods]
    available = sum(pod.available and not pod.terminating for pod in speaking)
    before = daemon_set.get("status") or {}
    counts = {
        "updatedNumberScheduled": sum(any(pod.new for pod in place.pods) for place in wanted),
        "numberAvailable": available,
        "numberUnavailable": len(wanted) - available,
    }
    status: Object = {
        "currentNumberScheduled": len(speaking),
        "numberMisscheduled": sum(bool(place.pods) for place in places if not place.fit.gets),
        "desiredNumberScheduled": len(wanted),
        "numberReady": sum(pod.name in ready and not pod.terminating for pod in speaking),
        "observedGeneration": daemon_set["metadata"].get("generation", 1),
        **{name: count for name, count in counts.items() if count},
    }
    for name in ("collisionCount", "conditions"):
        if before.get(name):
            status[name] = before[name]
    return daemon_set if status == before else {**daemon_set, "status": status}


def wait(daemon_set: Object, members: Sequence[Object], now: float) -> float | None:
    """The seconds until the next pod will have been ready for minReadySeconds; None if none is waiting."""
    needed = daemon_set["spec"].get("minReadySeconds") or 0
    moments = [pods.available_at(pod, needed) for pod in members] if needed else []
    left = [moment - now for moment in moments if moment is not None and moment > now]
    return min(left, default=None)
