"""Which pods are a Job's, and what becomes of the finalizer of those that are nobody's any more."""

from __future__ import annotations

from app.objects import pods
from app.objects.change import Object, ReadView, Write, key_of, split_key, update
from app.objects.jobs import NAME_LABEL, TRACKING, UID_LABEL
from app.objects.meta import controller_of, is_deleting, labels, with_meta
from workers.controllers.adoption import adopted, matcher, orphans, released
from workers.controllers.jobs import pod as job_pod


def claimed(view: ReadView, job: Object) -> tuple[list[Object], list[Write]]:
    """The pods that are the Job's, and the writes that adopt, release and let go. A pod that is adopted is the
    Job's from the next plan on; one that has ended is not adopted, for it may have been counted before."""
    meta = job["metadata"]
    matches = matcher(job["spec"].get("selector"))
    own: list[Object] = []
    writes: list[Write] = []
    for pod in view.owned("pods", meta["uid"]):
        owner = controller_of(pod)
        if owner is None or owner["uid"] != meta["uid"]:
            continue
        if matches(pod) or is_deleting(pod):
            own.append(pod)
        elif not is_deleting(job):
            writes.append(update("pods", job_pod.untracked(released(pod, job))))
    writes += let_go(view, f"{meta['namespace']}/{meta['name']}", meta["uid"])
    taken = {write.key for write in writes}
    for pod in orphans(view, "pods", meta["namespace"], matches) if not is_deleting(job) else ():
        if key_of(pod) in taken:
            continue
        if pods.is_active(pod):
            finalizers = [*(pod["metadata"].get("finalizers") or ()), TRACKING]
            tracked = with_meta(adopted(pod, job), finalizers=list(dict.fromkeys(finalizers)))
            writes.append(update("pods", tracked))
        elif job_pod.is_tracked(pod):
            writes.append(update("pods", job_pod.untracked(pod)))
    return own, writes


def let_go(view: ReadView, key: str, but: str = "") -> list[Write]:
    """Pods that the Job `key` will not count: of one by that name that is gone, or orphaned when it was deleted.
    Nothing must hold them. `but` is the uid of the Job of that name that is there now."""
    namespace, name = split_key(key)
    writes = []
    for pod in view.list("pods", namespace):
        if not pod["metadata"].get("finalizers") or not job_pod.is_tracked(pod):
            continue
        owner = controller_of(pod)
        if owner is None:
            lost = labels(pod).get(NAME_LABEL) == name and labels(pod).get(UID_LABEL) != but
        else:
            lost = owner["kind"] == "Job" and owner["name"] == name and owner["uid"] != but
        if lost:
            writes.append(update("pods", job_pod.untracked(pod)))
    return writes
