"""What a Job gets on its way in that its author left out, whoever makes it: a client or a CronJob.

Defaults after k8s.io/kubernetes/pkg/apis/batch/v1/defaults.go, labels and selector after its strategy
(https://kubernetes.io/docs/concepts/workloads/controllers/job/#specifying-your-own-pod-selector).
"""

from __future__ import annotations

from typing import Any

from app.objects import conditions
from app.objects.change import Object

RESOURCE = "jobs.batch"
TRACKING = "batch.kubernetes.io/job-tracking"
UID_LABEL = "batch.kubernetes.io/controller-uid"
NAME_LABEL = "batch.kubernetes.io/job-name"
LEGACY_UID_LABEL = "controller-uid"
LEGACY_NAME_LABEL = "job-name"
DEFAULT_BACKOFF_LIMIT = 6
NO_LIMIT = 2**31 - 1


def with_defaults(spec: Object) -> Object:
    """A Job's spec with what it means where it is silent. `spec` is not changed."""
    filled: dict[str, Any] = dict(spec)
    if filled.get("completions") is None and filled.get("parallelism") is None:
        filled["completions"] = 1
    _absent(filled, "parallelism", 1)
    per_index = filled.get("backoffLimitPerIndex") is not None
    _absent(filled, "backoffLimit", NO_LIMIT if per_index else DEFAULT_BACKOFF_LIMIT)
    _absent(filled, "completionMode", "NonIndexed")
    _absent(filled, "suspend", False)
    _absent(filled, "manualSelector", False)
    _absent(
        filled,
        "podReplacementPolicy",
        "Failed" if filled.get("podFailurePolicy") is not None else "TerminatingOrFailed",
    )
    return filled


def _absent(spec: dict[str, Any], field: str, value: Any) -> None:
    if spec.get(field) is None:
        spec[field] = value


def with_selector(job: Object) -> Object:
    """A new Job, which has its name and uid, with the labels and the selector that tie its pods to it. What
    its author wrote instead stays, for validation to refuse; with `manualSelector` nothing is done."""
    spec = job.get("spec") or {}
    meta = job["metadata"]
    template = spec.get("template") or {}
    shape = template.get("metadata") or {}
    labels = dict(shape.get("labels") or {})
    if not spec.get("manualSelector"):
        uid, name = meta["uid"], meta.get("name", "")
        for label, value in (
            (LEGACY_NAME_LABEL, name),
            (NAME_LABEL, name),
            (LEGACY_UID_LABEL, uid),
            (UID_LABEL, uid),
        ):
            labels.setdefault(label, value)
        selector = spec.get("selector") or {}
        wanted = {UID_LABEL: uid, **(selector.get("matchLabels") or {})}
        template = {**template, "metadata": {**shape, "labels": labels}}
        spec = {**spec, "selector": {**selector, "matchLabels": wanted}, "template": template}
    if not meta.get("labels") and labels:
        meta = {**meta, "labels": labels}
    return {**job, "metadata": meta, "spec": spec}


def is_finished(job: Object) -> bool:
    """Whether it is complete or has failed, for good."""
    return conditions.is_true(job, "Complete") or conditions.is_true(job, "Failed")


def finished_at(job: Object) -> str | None:
    """When it ended, as RFC 3339; None if it has not, or does not say."""
    for name in ("Complete", "Failed"):
        condition = conditions.get(job, name)
        if condition is not None and condition.get("status") == "True":
            return condition.get("lastTransitionTime")
    return None


def is_indexed(job: Object) -> bool:
    """Whether each of its pods has a number."""
    return bool(job["spec"].get("completionMode") == "Indexed")
