"""Rules for disruption budgets (k8s.io/kubernetes/pkg/apis/policy/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.rules.meta import label_selector
from app.schemas.rules.workload import count, over_all


def budget_spec(spec: Object, path: str, faults: Faults) -> None:
    """One limit at most, and it is a number of pods or a share of them."""
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        faults.invalid(path, spec, "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        given = spec.get(field)
        if given is not None and count(given, f"{path}.{field}", faults):
            over_all(given, f"{path}.{field}", faults)
    if spec.get("selector"):
        label_selector(spec["selector"], f"{path}.selector", faults)
