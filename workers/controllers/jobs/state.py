"""A Job and its pods as one plan sees them: what is running, what ended, and what of that is in the counts.

The status is only ever right together with the pods that still carry the tracking finalizer, so both are read
here, once, and everything else asks this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.objects import indexes, pods
from app.objects.change import Object
from app.objects.jobs import is_indexed
from workers.controllers.jobs import failure as job_failure
from workers.controllers.jobs import pod as job_pod
from workers.controllers.jobs.failure import Verdict


@dataclass(slots=True)
class JobState:
    """One Job at one moment.

    Attributes:
        pods: those that belong to it. active: of these, what runs or waits to.
        succeeded: pods that succeeded, or indexes. failed: pods that failed and count. Both as they will be once
            everything that ended is in the status.
        done: indexes of which a pod succeeded. lost: indexes that failed for good. None without indexes.
        delayed: by index, the failed pod that must stay until the one in its place carries on its count.
    """

    job: Object
    pods: Sequence[Object]
    now: float
    active: list[Object] = field(default_factory=list)
    terminating: int = 0
    succeeded: int = 0
    failed: int = 0
    done: frozenset[int] | None = None
    lost: frozenset[int] | None = None
    delayed: dict[int, Object] = field(default_factory=dict)
    _verdicts: dict[str, Verdict] = field(default_factory=dict)

    @property
    def spec(self) -> Object:
        return dict(self.job["spec"])

    @property
    def status(self) -> Object:
        return dict(self.job.get("status") or {})

    @property
    def ended_only(self) -> bool:
        """Whether a pod is replaced only once it has ended."""
        return bool(self.job["spec"].get("podReplacementPolicy") == "Failed")

    @property
    def suspended(self) -> bool:
        return bool(self.job["spec"].get("suspend"))

    @property
    def per_index(self) -> bool:
        """Whether each index has a limit of failures of its own."""
        return self.job["spec"].get("backoffLimitPerIndex") is not None

    def uncounted(self, which: str) -> list[str]:
        """Uids of pods on their way into the count `which`, "succeeded" or "failed"."""
        return list(((self.job.get("status") or {}).get("uncountedTerminatedPods") or {}).get(which) or ())

    def has_failed(self, pod: Object) -> bool:
        return job_pod.has_failed(pod, self.ended_only)

    def verdict(self, pod: Object) -> Verdict:
        """What the failure of a pod means."""
        uid = job_pod.uid(pod)
        found = self._verdicts.get(uid)
        if found is None:
            found = job_failure.judged(self.job["spec"].get("podFailurePolicy"), pod)
            self._verdicts[uid] = found
        return found

    def index_of(self, pod: Object) -> int | None:
        """The pod's index if the Job has it."""
        index = job_pod.index_of(pod)
        return None if index is None or index >= (self.job["spec"].get("completions") or 0) else index

    def belongs(self, pod: Object) -> bool:
        """Whether the pod can count: with indexes, one without a fitting index can't."""
        return self.done is None or self.index_of(pod) is not None


def seen(job: Object, own: Sequence[Object], now: float) -> JobState:
    """The state of a Job whose pods are `own`."""
    state = JobState(job, own, now)
    state.active = [pod for pod in own if pods.is_active(pod)]
    state.terminating = sum(job_pod.is_terminating(pod) for pod in own)
    if is_indexed(job):
        _count_indexes(state)
    counted = state.status
    successes, failures = state.uncounted("succeeded"), state.uncounted("failed")
    new_successes = new_failures = 0
    known = {*successes, *failures}
    for pod in own:
        if not job_pod.is_tracked(pod) or job_pod.uid(pod) in known or not state.belongs(pod):
            continue
        if job_pod.has_succeeded(pod):
            new_successes += 1
        elif state.has_failed(pod) and state.verdict(pod).counts:
            new_failures += 1
    state.failed = counted.get("failed", 0) + len(failures) + new_failures
    if state.done is None:
        state.succeeded = counted.get("succeeded", 0) + len(successes) + new_successes
    else:
        state.succeeded = len(state.done)
    return state


def _count_indexes(state: JobState) -> None:
    completions = state.job["spec"].get("completions") or 0
    state.done = indexes.read(state.status.get("completedIndexes") or "", completions)
    fresh = {
        index
        for pod in state.pods
        if job_pod.has_succeeded(pod)
        and job_pod.is_tracked(pod)
        and (index := state.index_of(pod)) is not None
    }
    state.done |= fresh
    if not state.per_index:
        return
    limit = state.job["spec"]["backoffLimitPerIndex"]
    lost = set(indexes.read(state.status.get("failedIndexes") or "", completions))
    failed = [pod for pod in state.pods if job_pod.is_tracked(pod) and state.has_failed(pod)]
    for pod in failed:
        index = state.index_of(pod)
        if index is None or index in state.done:
            continue
        verdict = state.verdict(pod)
        over = verdict.counts and job_pod.failures_before(pod) >= limit
        if verdict.action == "FailIndex" or over:
            lost.add(index)
    state.lost = frozenset(lost - state.done)
    _delay(state, failed)


def _delay(state: JobState, failed: Sequence[Object]) -> None:
    """Of each index that goes on and has no active pod, the pod that failed last."""
    running = {state.index_of(pod) for pod in state.active}
    for pod in failed:
        index = state.index_of(pod)
        if index is None or index in running or index in (state.done or ()) or index in (state.lost or ()):
            continue
        last = state.delayed.get(index)
        if last is None or _rank(last) <= _rank(pod):
            state.delayed[index] = pod


def _rank(pod: Object) -> tuple[int, float]:
    return job_pod.failures_before(pod) + job_pod.ignored_before(pod), job_pod.finished_at(pod)
