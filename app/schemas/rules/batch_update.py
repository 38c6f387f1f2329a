"""What an update of a job may not change (k8s.io/kubernetes/pkg/apis/batch/validation)."""

from __future__ import annotations

from typing import Any

from app.objects.change import Object
from app.schemas.faults import Faults

_IMMUTABLE = "field is immutable"
_FIXED = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
# What of a template may change while its job is suspended and has never run.
_FREE_OF_POD = ("nodeSelector", "tolerations", "schedulingGates")
_FREE_OF_META = ("labels", "annotations")


def job_update(old: Object, new: Object, faults: Faults) -> None:
    before, after = old.get("spec") or {}, new.get("spec") or {}
    _completions(before, after, faults)
    if before.get("selector") != after.get("selector"):
        faults.invalid("spec.selector", after.get("selector"), _IMMUTABLE)
    waiting = bool(before.get("suspend")) and not (old.get("status") or {}).get("startTime")
    if _template(before, waiting) != _template(after, waiting):
        faults.invalid("spec.template", after.get("template"), _IMMUTABLE)
    for field in _FIXED:
        if before.get(field) != after.get(field):
            faults.invalid(f"spec.{field}", after.get(field), _IMMUTABLE)


def _completions(before: Object, after: Object, faults: Faults) -> None:
    """An indexed job may grow and shrink, with as many pods at a time as completions."""
    wanted = after.get("completions")
    if before.get("completions") == wanted:
        return
    if after.get("completionMode") != "Indexed":
        faults.invalid("spec.completions", wanted, _IMMUTABLE)
    elif wanted is not None and wanted != after.get("parallelism"):
        faults.invalid("spec.completions", wanted, "can only be modified in tandem with spec.parallelism")


def _template(spec: Object, waiting: bool) -> Any:
    template = spec.get("template") or {}
    if not waiting:
        return template
    pod = {k: v for k, v in (template.get("spec") or {}).items() if k not in _FREE_OF_POD}
    affinity = {k: v for k, v in (pod.pop("affinity", None) or {}).items() if k != "nodeAffinity"}
    meta = {k: v for k, v in (template.get("metadata") or {}).items() if k not in _FREE_OF_META}
    return {**template, "metadata": meta, "spec": {**pod, "affinity": affinity}}
