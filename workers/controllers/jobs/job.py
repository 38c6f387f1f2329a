"""Job: pods that run to their end, until enough of them have succeeded.

One plan looks at the Job and all its pods, counts one step further, decides whether the Job is over, and else
makes or deletes pods. It may be cut off between any two of its commits.
https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from functools import partial

from app.base.clock import parse_rfc3339, rfc3339
from app.objects import deletion, jobs, pods
from app.objects.change import Object, ReadView, Write, key_of, update
from app.objects.meta import is_deleting, labels
from workers.controllers.adoption import takes
from workers.controllers.interests import itself, owns, unless_same
from workers.controllers.jobs import counting as job_counting
from workers.controllers.jobs import end as job_end
from workers.controllers.jobs import orphans as job_orphans
from workers.controllers.jobs import pod as job_pod
from workers.controllers.jobs import pods as job_pods
from workers.controllers.jobs import state as job_state
from workers.controllers.jobs.counting import Counted
from workers.controllers.jobs.end import End
from workers.controllers.jobs.state import JobState
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

RESOURCE = jobs.RESOURCE
MANAGER = "kubernetes.io/job-controller"
EVENTS_AT_ONCE = 25


def role(unreachable_toleration: int) -> Role:
    """The role; see `admitted_pod` for its parameter."""
    return Role(
        "job-controller",
        partial(plan_job, unreachable_toleration=unreachable_toleration),
        (
            itself(RESOURCE, unless_same(_own_facts)),
            owns("pods", "Job", unless_same(_pod_facts)),
            takes("pods", RESOURCE),
        ),
        lambda view: view.keys(RESOURCE),
    )


def plan_job(view: ReadView, key: str, now: float, unreachable_toleration: int) -> Plan:
    """Count, end, or go on."""
    job = view.get(RESOURCE, key)
    if job is None:
        return Plan(tuple(job_orphans.let_go(view, key)), reason="the job is gone")
    if job["spec"].get("managedBy") not in (None, MANAGER):
        return NOTHING
    if jobs.is_finished(job):
        held = [pod for pod in view.owned("pods", job["metadata"]["uid"]) if job_pod.is_tracked(pod)]
        return _expired(job, [update("pods", job_pod.untracked(pod)) for pod in held], now)
    own, writes = job_orphans.claimed(view, job)
    state = job_state.seen(job, own, now)
    taken = {write.key for write in writes}
    return _Step(view, state, writes, taken, unreachable_toleration).plan()


class _Step:
    """One plan for a Job that goes on, as it takes shape."""

    def __init__(
        self, view: ReadView, state: JobState, writes: list[Write], taken: set[str], toleration: int
    ) -> None:
        self._view = view
        self._state = state
        self._writes = writes
        self._taken = taken
        self._toleration = toleration
        self._events: list[EventNote] = []
        self._wait: float | None = None

    def plan(self) -> Plan:
        state, now = self._state, self._state.now
        end = job_end.decided(state)
        created = 0
        going = is_deleting(state.job)
        if end is not None:
            self._delete(state.active, job_pods.deleted(state.active, now))
        elif not going:
            surplus = job_pods.surplus(self._view, state)
            if surplus:
                self._delete(surplus, job_pods.deleted_uncounted(surplus, now))
            else:
                created = self._create()
        if end is None and not created:
            end = job_end.reached(state)
        count = job_counting.counted(
            state, end is not None or going, end is not None and end.kind == "Failed"
        )
        self._release(count)
        status = self._reported(count.status)
        if end is not None:
            status = self._ended(status, end, count)
        elif not going:
            status = self._suspension(status)
            self._wake(job_end.deadline(state))
        after = {**state.job, "status": _plain(status)}
        if after["status"] != (state.job.get("status") or {}):
            self._writes.append(update(RESOURCE, after))
        reason = f"{len(state.active)} active, {state.succeeded} succeeded, {state.failed} failed"
        return Plan(tuple(self._writes), tuple(self._events), self._wait, reason if self._writes else "")

    def _create(self) -> int:
        state = self._state
        count, of, wait = job_pods.missing(state)
        self._wake(wait)
        made = job_pods.made(self._view, state, count, of, self._toleration)
        self._writes += made
        for write in made[:EVENTS_AT_ONCE]:
            self._tell("SuccessfulCreate", f"Created pod: {write.obj['metadata']['name']}")
        return len(made)

    def _delete(self, gone: list[Object], writes: list[Write]) -> None:
        kept = [write for write in writes if write.key not in self._taken]
        self._taken.update(write.key for write in kept)
        self._writes += kept
        for write in kept[:EVENTS_AT_ONCE]:
            self._tell("SuccessfulDelete", f"Deleted pod: {write.obj['metadata']['name']}")

    def _release(self, count: Counted) -> None:
        """Counted pods may go. A pod is written once in a plan: what is deleted now follows in the next."""
        for pod in count.released:
            if key_of(pod) not in self._taken:
                self._writes.append(update("pods", job_pod.untracked(pod)))

    def _reported(self, status: Object) -> Object:
        """The status with what is running. Only what is there counts, not what this plan makes or deletes."""
        state = self._state
        status = {
            **status,
            "active": len(state.active),
            "ready": sum(pods.is_ready(pod) for pod in state.active),
            "terminating": state.terminating,
        }
        if not status.get("startTime") and not state.suspended:
            status["startTime"] = rfc3339(state.now)
        return status

    def _ended(self, status: Object, end: End, count: Counted) -> Object:
        state, now = self._state, self._state.now
        status = job_end.condition(status, end.announcement, "True", end.reason, end.message, now)
        if count.pending or state.active or state.terminating:
            return status
        status = job_end.condition(status, end.kind, "True", end.reason, end.message, now)
        if not status.get("startTime"):
            status["startTime"] = rfc3339(now)
        if end.kind == "Failed":
            self._tell(end.reason, end.message, warning=True)
            return status
        status["completionTime"] = rfc3339(now)
        completions = state.spec.get("completions")
        if completions is not None and status.get("succeeded", 0) > completions:
            text = "Too many succeeded pods running after completion count reached"
            self._tell("TooManySucceededPods", text, warning=True)
        self._tell("Completed", "Job completed")
        return status

    def _suspension(self, status: Object) -> Object:
        """Says that the Job is suspended, or is no longer; its time begins anew then."""
        suspended, now = self._state.suspended, self._state.now
        truth, reason, message = (
            ("True", "JobSuspended", "Job suspended") if suspended else ("False", "JobResumed", "Job resumed")
        )
        after = job_end.condition(status, "Suspended", truth, reason, message, now)
        if after is status:
            return status
        self._tell("Suspended" if suspended else "Resumed", message)
        if not suspended:
            after["startTime"] = rfc3339(now)
        return after

    def _tell(self, reason: str, message: str, warning: bool = False) -> None:
        self._events.append(EventNote(self._state.job, reason, message, "Warning" if warning else "Normal"))

    def _wake(self, seconds: float | None) -> None:
        if seconds is not None and seconds > 0:
            self._wait = seconds if self._wait is None else min(self._wait, seconds)


def _expired(job: Object, writes: list[Write], now: float) -> Plan:
    """A finished Job goes `ttlSecondsAfterFinished` after its end, its pods before it."""
    ttl, ended = job["spec"].get("ttlSecondsAfterFinished"), jobs.finished_at(job)
    if ttl is None or ended is None or is_deleting(job):
        return Plan(tuple(writes), reason="finished" if writes else "")
    left = parse_rfc3339(ended) + float(ttl) - now
    if left > 0:
        return Plan(tuple(writes), requeue_after=left, reason="finished" if writes else "")
    removal = deletion.removal(RESOURCE, job, now, propagation="Foreground")
    if removal is not None:
        writes.append(removal)
    return Plan(tuple(writes), reason="its time after the end is over")


def _plain(status: Object) -> Object:
    """The status without counts of nothing, as Kubernetes leaves them out."""
    dropped = ("active", "succeeded", "failed", "completedIndexes")
    return {k: v for k, v in status.items() if not (k in dropped and not v)}


def _own_facts(job: Object) -> object:
    return job["spec"], job.get("status"), job["metadata"].get("deletionTimestamp")


def _pod_facts(pod: Object) -> object:
    """What of a pod its Job looks at."""
    meta = pod["metadata"]
    status = pod.get("status") or {}
    return (
        meta.get("deletionTimestamp"),
        meta.get("deletionGracePeriodSeconds"),
        meta.get("finalizers"),
        labels(pod),
        meta.get("ownerReferences"),
        status.get("phase"),
        pods.is_ready(pod),
        job_pod.restarts(pod),
    )
