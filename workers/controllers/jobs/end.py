"""When a Job is over, and how it says so.

It first says what will become of it (SuccessCriteriaMet, FailureTarget), deletes what still runs, and is Complete
or Failed only when every pod has ended and is counted. What it once said stays.
https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.base.clock import parse_rfc3339, rfc3339
from app.objects import conditions, indexes
from app.objects.change import Object
from workers.controllers.jobs import pod as job_pod
from workers.controllers.jobs.state import JobState

REACHED = ("CompletionsReached", "Reached expected number of succeeded pods")


@dataclass(frozen=True, slots=True)
class End:
    """What becomes of a Job, and why."""

    kind: Literal["Complete", "Failed"]
    reason: str
    message: str

    @property
    def announcement(self) -> str:
        """The condition that says so before it is."""
        return "SuccessCriteriaMet" if self.kind == "Complete" else "FailureTarget"


def decided(state: JobState) -> End | None:
    """The end that was announced, or that it comes to now because it failed or enough of it succeeded; None if it
    goes on. That all completions are reached is `reached`."""
    return _announced(state) or _failure_of_pods(state) or _over_limits(state) or _success_by_policy(state)


def reached(state: JobState) -> End | None:
    """The end of a Job of which so many pods succeeded as it asks for, and none runs any more."""
    if state.active:
        return None
    completions = state.spec.get("completions")
    enough = state.succeeded > 0 if completions is None else state.succeeded >= completions
    return End("Complete", *REACHED) if enough else None


def _announced(state: JobState) -> End | None:
    ends: tuple[tuple[str, Literal["Complete", "Failed"]], ...] = (
        ("SuccessCriteriaMet", "Complete"),
        ("FailureTarget", "Failed"),
    )
    for announcement, kind in ends:
        found = conditions.get(state.job, announcement)
        if found is not None and found.get("status") == "True":
            return End(kind, found.get("reason", ""), found.get("message", ""))
    return None


def _failure_of_pods(state: JobState) -> End | None:
    """A pod failed in a way that fails the whole Job."""
    if not state.spec.get("podFailurePolicy"):
        return None
    for pod in state.pods:
        if state.has_failed(pod):
            verdict = state.verdict(pod)
            if verdict.message:
                return End("Failed", "PodFailurePolicy", verdict.message)
    return None


def _over_limits(state: JobState) -> End | None:
    spec = state.spec
    if state.failed > spec.get("backoffLimit", 6) or _restarted_too_often(state):
        return End("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    left = deadline(state)
    if left is not None and left <= 0:
        return End("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
    if state.lost is None:
        return None
    most = spec.get("maxFailedIndexes")
    if most is not None and len(state.lost) > most:
        return End(
            "Failed",
            "MaxFailedIndexesExceeded",
            "Job has exceeded the specified maximal number of failed indexes",
        )
    if state.lost and len(state.lost) + state.succeeded >= (spec.get("completions") or 0):
        return End("Failed", "FailedIndexes", "Job has failed indexes")
    return None


def _restarted_too_often(state: JobState) -> bool:
    """Whether containers, which are started again in their pod, were so more often than the Job bears."""
    if state.spec["template"].get("spec", {}).get("restartPolicy") != "OnFailure":
        return False
    total = sum(
        job_pod.restarts(pod)
        for pod in state.pods
        if (pod.get("status") or {}).get("phase") in ("Pending", "Running")
    )
    limit = state.spec.get("backoffLimit", 6)
    return total > 0 if limit == 0 else total >= limit


def deadline(state: JobState) -> float | None:
    """Seconds until the Job has been active for too long; None if it never will."""
    seconds, began = state.spec.get("activeDeadlineSeconds"), state.status.get("startTime")
    if seconds is None or state.suspended:
        return None
    return (parse_rfc3339(began) if began else state.now) + float(seconds) - state.now


def _success_by_policy(state: JobState) -> End | None:
    """The first rule of the success policy that holds."""
    policy = state.spec.get("successPolicy")
    if policy is None or state.done is None:
        return None
    completions = state.spec.get("completions") or 0
    for position, rule in enumerate(policy.get("rules") or ()):
        count, text = rule.get("succeededCount"), rule.get("succeededIndexes")
        if count is None and text is None:
            continue
        asked = state.done if text is None else indexes.read(text, completions)
        met = len(asked & state.done)
        if met >= (len(asked) if count is None else count):
            return End("Complete", "SuccessPolicy", f"Matched rules at index {position}")
    return None


def condition(status: Object, kind: str, truth: str, reason: str, message: str, now: float) -> Object:
    """The status with a condition set, as Kubernetes's Job controller does: one that would only say that something
    is not is not added."""
    before = list(status.get("conditions") or ())
    at = next((i for i, c in enumerate(before) if c.get("type") == kind), None)
    new: Object = {
        "type": kind,
        "status": truth,
        "lastProbeTime": rfc3339(now),
        "lastTransitionTime": rfc3339(now),
    }
    if reason:
        new["reason"] = reason
    if message:
        new["message"] = message
    if at is None:
        if truth == "False":
            return status
        return {**status, "conditions": [*before, new]}
    old = before[at]
    if (old.get("status"), old.get("reason", ""), old.get("message", "")) == (truth, reason, message):
        return status
    before[at] = new
    return {**status, "conditions": before}
