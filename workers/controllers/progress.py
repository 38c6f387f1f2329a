"""A Deployment's status: counts, whether enough is available, and how its rollout goes.

The conditions and their words are those of k8s.io/kubernetes/pkg/controller/deployment/progress.go and
util/deployment_util.go, which `kubectl rollout status` reads.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.base.clock import parse_rfc3339, rfc3339
from app.objects import conditions
from app.objects.change import Object
from app.objects.conditions import Truth
from workers.controllers.replicaset_status import FAILURE
from workers.controllers.rolling import Limits

NO_DEADLINE = 2**31 - 1
TIMED_OUT = "ProgressDeadlineExceeded"
COMPLETE = "NewReplicaSetAvailable"


def deadline(deployment: Object) -> int | None:
    """Seconds without progress after which a rollout counts as stuck; None: never."""
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return None if seconds is None or seconds >= NO_DEADLINE else int(seconds)


def progressing(deployment: Object, status: Truth, reason: str, message: str, now: float) -> Object:
    """The Deployment with this Progressing condition. Being told the same again is no progress."""
    current = conditions.get(deployment, "Progressing")
    if current is not None and current.get("status") == status and current.get("reason") == reason:
        return deployment
    return conditions.with_condition(
        deployment, "Progressing", status, now, reason=reason, message=message, lastUpdateTime=rfc3339(now)
    )


def counted(
    deployment: Object,
    new: Object | None,
    every: Sequence[Object],
    limit: Limits,
    now: float,
    collisions: int | None,
) -> Object:
    """The Deployment with counts and the Available condition as of now."""
    old_status = deployment.get("status") or {}
    wanted = sum(rs["spec"]["replicas"] for rs in every)
    available = _sum(every, "availableReplicas")
    status: Object = {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        "replicas": _sum(every, "replicas"),
        "updatedReplicas": _sum([new] if new else [], "replicas"),
        "readyReplicas": _sum(every, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, wanted - available),
    }
    status = {name: count for name, count in status.items() if count}
    terminating = [(rs.get("status") or {}).get("terminatingReplicas") for rs in every]
    if None not in terminating:
        status["terminatingReplicas"] = sum(terminating)
    collisions = collisions or old_status.get("collisionCount")
    if collisions:
        status["collisionCount"] = collisions
    if old_status.get("conditions"):
        status["conditions"] = old_status["conditions"]
    enough = available >= limit.least
    result = {**deployment, "status": status}
    current = conditions.get(result, "Available")
    if current is not None and (current["status"] == "True") == enough:
        return result
    return conditions.with_condition(
        result,
        "Available",
        "True" if enough else "False",
        now,
        reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        message=f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        lastUpdateTime=rfc3339(now),
    )


def judged(before: Object, counted_now: Object, new: Object | None, now: float) -> Object:
    """The Deployment (`counted_now`) with its Progressing condition: complete, moving on since
    `before`, or stuck past its deadline."""
    if deadline(counted_now) is None:
        return conditions.without(counted_now, "Progressing")
    current = conditions.get(counted_now, "Progressing")
    reason = (current or {}).get("reason")
    status = counted_now["status"]
    if status.get("replicas", 0) == status.get("updatedReplicas", 0) and reason == COMPLETE:
        return counted_now
    what = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{_name(counted_now)}"'
    if is_complete(counted_now):
        message = f"{what} has successfully progressed."
        return progressing(counted_now, "True", COMPLETE, message, now)
    if _moved(before.get("status") or {}, status):
        return conditions.with_condition(
            counted_now,
            "Progressing",
            "True",
            now,
            reason="ReplicaSetUpdated",
            message=f"{what} is progressing.",
            lastUpdateTime=rfc3339(now),
        )
    if time_left(counted_now, now) == 0:
        return progressing(counted_now, "False", TIMED_OUT, f"{what} has timed out progressing.", now)
    return counted_now


def with_failure(deployment: Object, new: Object | None, every: Sequence[Object], now: float) -> Object:
    """The Deployment saying what its ReplicaSets say of pods that are refused, the newest before the others."""
    failures = (conditions.get(rs, FAILURE) for rs in ([new] if new else []) + list(every))
    failure = next((found for found in failures if found is not None), None)
    if failure is None:
        return conditions.without(deployment, FAILURE)
    current = conditions.get(deployment, FAILURE)
    if current is not None and all(current.get(k) == failure.get(k) for k in ("status", "reason", "message")):
        return deployment
    return conditions.with_condition(
        deployment,
        FAILURE,
        failure["status"],
        now,
        reason=failure.get("reason", ""),
        message=failure.get("message", ""),
        lastUpdateTime=rfc3339(now),
    )


def time_left(deployment: Object, now: float) -> float | None:
    """Seconds until the rollout counts as stuck; None if it can't, is done, or does already."""
    seconds = deadline(deployment)
    current = conditions.get(deployment, "Progressing")
    if seconds is None or current is None or is_complete(deployment):
        return None
    if current.get("reason") in (COMPLETE, TIMED_OUT) or deployment["spec"].get("paused"):
        return None
    since = current.get("lastUpdateTime") or current.get("lastTransitionTime")
    return max(0.0, parse_rfc3339(since) + seconds - now) if since else None


def is_complete(deployment: Object) -> bool:
    """Whether all replicas are of the new template and available, and no other is left."""
    status, replicas = deployment["status"], deployment["spec"]["replicas"]
    return all(
        status.get(name, 0) == replicas for name in ("updatedReplicas", "replicas", "availableReplicas")
    )


def with_pause(deployment: Object, now: float) -> Object:
    """The Deployment with its Progressing condition saying that it was paused or resumed."""
    current = conditions.get(deployment, "Progressing")
    reason = (current or {}).get("reason")
    if deadline(deployment) is None or reason == TIMED_OUT:
        return deployment
    if deployment["spec"].get("paused"):
        return progressing(deployment, "Unknown", "DeploymentPaused", "Deployment is paused", now)
    if reason == "DeploymentPaused":
        return progressing(deployment, "Unknown", "DeploymentResumed", "Deployment is resumed", now)
    return deployment


def _moved(before: Object, after: Object) -> bool:
    def old_pods(status: Object) -> int:
        return int(status.get("replicas", 0)) - int(status.get("updatedReplicas", 0))

    return old_pods(after) < old_pods(before) or any(
        after.get(name, 0) > before.get(name, 0)
        for name in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


def _sum(replica_sets: Sequence[Object], name: str) -> int:
    return sum(int((rs.get("status") or {}).get(name) or 0) for rs in replica_sets)


def _name(deployment: Object) -> str:
    return str(deployment["metadata"]["name"])
