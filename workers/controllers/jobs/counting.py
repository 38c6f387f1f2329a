"""Exact counts: no pod is counted twice, none is missed, wherever a worker dies.

Every pod of a Job carries a finalizer, so it can't go before it is counted. Counting it takes three commits:

1. its uid is written to `status.uncountedTerminatedPods` of the Job;
2. the finalizer is taken off the pod, which may go now;
3. the uid leaves the list, and in the same commit the count grows.

Each is decided from what is committed already: a finalizer is taken off only when the Job's stored status names
the pod, and a uid leaves only when its pod is stored without finalizer, or not at all. So each may be repeated,
and any prefix of them is a state from which the next plan goes on. A successful pod of an Indexed Job needs no
uid: its index in `completedIndexes` counts once by itself.
https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers
"""

from __future__ import annotations

from dataclasses import dataclass

from app.objects import indexes
from app.objects.change import Object
from app.objects.meta import is_deleting
from workers.controllers.jobs import pod as job_pod
from workers.controllers.jobs.state import JobState

# Uids that the status holds at most: a batch is counted before the next is begun.
MOST_UNCOUNTED = 500


@dataclass(frozen=True, slots=True)
class Counted:
    """What counting comes to: the status's new counts, the pods that may lose their finalizer now, and whether
    pods remain that are not in the counts yet."""

    status: Object
    released: tuple[Object, ...]
    pending: bool


def counted(state: JobState, ending: bool, failing: bool) -> Counted:
    """One step of counting.

    Args:
        ending: the Job is ending or being deleted, so no pod need be kept any more.
        failing: it has failed, so that a pod that did not end counts as failed.
    """
    status = dict(state.status)
    tracked = {job_pod.uid(pod) for pod in state.pods if job_pod.is_tracked(pod)}
    lists = {which: state.uncounted(which) for which in ("succeeded", "failed")}
    stored = {*lists["succeeded"], *lists["failed"]}
    for which, uids in lists.items():
        left = [uid for uid in uids if uid in tracked]
        if len(left) < len(uids):
            status[which] = status.get(which, 0) + len(uids) - len(left)
        lists[which] = left
    completions = state.job["spec"].get("completions") or 0
    done_stored = indexes.read(state.status.get("completedIndexes") or "", completions)
    done = set(done_stored)
    released: list[Object] = []
    waiting = False
    for pod in state.pods:
        if not job_pod.is_tracked(pod) or not _may_go(state, pod, ending):
            continue
        uid = job_pod.uid(pod)
        if uid in stored:
            released.append(pod)
            continue
        which = _counts_as(state, pod, failing)
        if which == "index":
            index = state.index_of(pod)
            assert index is not None
            if index in done_stored:
                released.append(pod)
            else:
                done.add(index)
                waiting = True
        elif which:
            waiting = True
            if len(lists["succeeded"]) + len(lists["failed"]) < MOST_UNCOUNTED:
                lists[which].append(uid)
        else:
            released.append(pod)
    status["uncountedTerminatedPods"] = {which: uids for which, uids in lists.items() if uids}
    if state.done is not None:
        status["succeeded"] = len(done)
        status["completedIndexes"] = indexes.written(done)
        if state.per_index:
            status["failedIndexes"] = indexes.written(state.lost or ())
    return Counted(status, tuple(released), waiting or bool(lists["succeeded"] or lists["failed"]))


def _may_go(state: JobState, pod: Object, ending: bool) -> bool:
    """Whether nothing more is to be learnt from the pod."""
    if ending or is_deleting(state.job) or job_pod.has_succeeded(pod):
        return True
    if not state.has_failed(pod):
        return False
    index = state.index_of(pod)
    return index is None or state.delayed.get(index) is not pod


def _counts_as(state: JobState, pod: Object, failing: bool) -> str:
    """The count that the pod belongs into; empty if into none."""
    if not state.belongs(pod):
        return ""
    if job_pod.has_succeeded(pod):
        return "index" if state.done is not None else "succeeded"
    if state.has_failed(pod) or failing:
        return "failed" if state.verdict(pod).counts else ""
    return ""
