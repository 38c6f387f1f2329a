"""Disruption budgets: which hold for a pod, and what granting an eviction changes of one.

https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
"""

from __future__ import annotations

from collections.abc import Iterable

from app.base.clock import rfc3339
from app.base.errors import BadRequest
from app.objects import conditions
from app.objects.change import Object
from app.objects.meta import labels
from app.objects.selectors import of_label_selector

RESOURCE = "poddisruptionbudgets.policy"
# Seconds within which a pod whose eviction was granted must be marked, or else it counts as staying.
GRANT_SECONDS = 120.0


def holds_for(budget: Object, pod: Object) -> bool:
    """Whether the budget counts the pod. An empty selector selects all pods of the namespace, an absent one none."""
    try:
        return of_label_selector((budget.get("spec") or {}).get("selector")).matches(labels(pod))
    except BadRequest:
        return False


def of_pod(budgets: Iterable[Object], pod: Object) -> list[Object]:
    """Those of a namespace's budgets that count the pod."""
    return [budget for budget in budgets if holds_for(budget, pod)]


def granted(budget: Object, pod: str, now: float) -> Object:
    """The budget after an eviction of the pod of that name was granted: one disruption fewer is allowed, and the
    pod is noted, so that the controller does not count it as healthy before it is marked."""
    status = budget["status"]
    left = status["disruptionsAllowed"] - 1
    noted = {**(status.get("disruptedPods") or {}), pod: rfc3339(now)}
    after = {**budget, "status": {**status, "disruptionsAllowed": left, "disruptedPods": noted}}
    return with_allowed(after, now)


def with_allowed(budget: Object, now: float) -> Object:
    """The budget with its condition saying whether disruptions are allowed."""
    some = budget["status"].get("disruptionsAllowed", 0) > 0
    return conditions.with_condition(
        budget,
        "DisruptionAllowed",
        "True" if some else "False",
        now,
        reason="SufficientPods" if some else "InsufficientPods",
        message="",
        observedGeneration=budget["status"].get("observedGeneration"),
    )
