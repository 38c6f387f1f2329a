"""What a ReplicaSet says of itself: how many pods there are, ready and available, and whether more are refused."""

from __future__ import annotations

from app.objects import conditions, pods
from app.objects.change import Object
from app.objects.meta import labels

FAILURE = "ReplicaFailure"


def refused(rs: Object, message: str, now: float) -> Object:
    """The ReplicaSet, saying that its pods are refused and why; itself if it says so."""
    return conditions.with_condition(rs, FAILURE, "True", now, reason="FailedCreate", message=message)


def reported(
    rs: Object, active: list[Object], terminating: int | None, now: float
) -> tuple[Object, float | None]:
    """The ReplicaSet with its status as of now (itself if nothing changed), and the seconds until
    the next pod will have been ready for minReadySeconds (None if none is waiting).

    `terminating` counts pods that are on their way out; None for a kind that doesn't tell.
    Only what is there counts, not what this very plan creates or deletes: a Deployment may rely on
    `status.replicas` never being lower than the pods that exist.
    """
    spec = rs["spec"]
    expected = ((spec["template"].get("metadata") or {}).get("labels") or {}).items()
    min_ready = spec.get("minReadySeconds") or 0
    ready = available = labelled = 0
    wait: float | None = None
    for pod in active:
        if expected <= labels(pod).items():
            labelled += 1
        if not pods.is_ready(pod):
            continue
        ready += 1
        if not min_ready:
            available += 1
            continue
        remaining = (pods.available_at(pod, min_ready) or 0.0) - now
        if remaining <= 0:
            available += 1
        else:
            wait = remaining if wait is None else min(wait, remaining)
    before = rs.get("status") or {}
    status: Object = {
        "replicas": len(active),
        "fullyLabeledReplicas": labelled,
        "readyReplicas": ready,
        "availableReplicas": available,
    }
    status = {name: count for name, count in status.items() if count or name == "replicas"}
    status["observedGeneration"] = rs["metadata"].get("generation", 1)
    if terminating is not None:
        status["terminatingReplicas"] = terminating
    kept = before.get("conditions") or []
    if len(active) >= spec["replicas"]:
        # As long as some are missing they are asked for again, which may be refused again.
        kept = [condition for condition in kept if condition.get("type") != FAILURE]
    if kept:
        status["conditions"] = kept
    return (rs if status == before else {**rs, "status": status}), wait
