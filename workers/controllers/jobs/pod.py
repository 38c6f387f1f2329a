"""What a Job's controller asks of a pod: its index, how it ended and when, whether it is still to be counted."""

from __future__ import annotations

from app.base.clock import parse_rfc3339
from app.objects import pods
from app.objects.change import Object
from app.objects.jobs import TRACKING
from app.objects.meta import annotations_of, is_deleting, with_meta

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count"


def uid(pod: Object) -> str:
    return str(pod["metadata"]["uid"])


def index_of(pod: Object) -> int | None:
    """Its completion index; None if it has none, or what it has is none."""
    return _whole(annotations_of(pod).get(INDEX))


def failures_before(pod: Object) -> int:
    """How many pods of its index had failed, and counted, when it was made."""
    return _whole(annotations_of(pod).get(FAILURES)) or 0


def ignored_before(pod: Object) -> int:
    """How many pods of its index had failed without counting when it was made."""
    return _whole(annotations_of(pod).get(IGNORED_FAILURES)) or 0


def _whole(text: str | None) -> int | None:
    if not text or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return int(text)


def is_tracked(pod: Object) -> bool:
    """Whether it carries the finalizer that holds it until it is counted."""
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def untracked(pod: Object) -> Object:
    """The pod without that finalizer."""
    kept = [name for name in pod["metadata"].get("finalizers") or () if name != TRACKING]
    return with_meta(pod, finalizers=kept or None)


def has_succeeded(pod: Object) -> bool:
    return bool((pod.get("status") or {}).get("phase") == "Succeeded")


def has_failed(pod: Object, ended_only: bool) -> bool:
    """Whether it counts as failed: it has, or it was deleted and can't succeed any more.

    Args:
        ended_only: a pod that was asked to end counts only once it has ended. A pod that no node runs, or that
            its node is done with, has.
    """
    phase = (pod.get("status") or {}).get("phase")
    if phase == "Failed":
        return True
    if phase == "Succeeded" or not is_deleting(pod):
        return False
    return not ended_only or is_gone(pod)


def is_gone(pod: Object) -> bool:
    """Whether a pod being deleted runs nowhere, so that only finalizers keep it."""
    return not pod["spec"].get("nodeName") or not pod["metadata"].get("deletionGracePeriodSeconds")


def is_terminating(pod: Object) -> bool:
    """Whether it was asked to end and has not."""
    return is_deleting(pod) and not pods.is_terminal(pod) and not is_gone(pod)


def finished_at(pod: Object) -> float:
    """When it ended, in seconds since the epoch, as far as it says: the last of its containers' ends, or else
    when it was to be gone, or ceased to be ready, or was made."""
    status = pod.get("status") or {}
    ends = [
        container.get("state", {}).get("terminated", {}).get("finishedAt")
        for container in status.get("containerStatuses") or ()
    ]
    if ends and all(ends):
        return max(parse_rfc3339(end) for end in ends)
    if is_deleting(pod):
        grace = int(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
        return parse_rfc3339(pod["metadata"]["deletionTimestamp"]) - grace
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Ready" and condition.get("lastTransitionTime"):
            return parse_rfc3339(condition["lastTransitionTime"])
    return parse_rfc3339(pod["metadata"]["creationTimestamp"])


def restarts(pod: Object) -> int:
    """How often its containers were started again."""
    status = pod.get("status") or {}
    return sum(
        container.get("restartCount", 0)
        for part in ("initContainerStatuses", "containerStatuses")
        for container in status.get(part) or ()
    )
