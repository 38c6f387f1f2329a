"""The table of disruption budgets (k8s.io/kubernetes/pkg/printers/internalversion)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME
from app.schemas.kind import Column

NOT_GIVEN = "N/A"


def _limit(budget: Object, field: str) -> str:
    given = (budget.get("spec") or {}).get(field)
    return NOT_GIVEN if given is None else str(given)


POD_DISRUPTION_BUDGET = (
    NAME,
    Column(
        "Min Available",
        "string",
        lambda obj, _: _limit(obj, "minAvailable"),
        description="Pods that must stay.",
    ),
    Column(
        "Max Unavailable",
        "string",
        lambda obj, _: _limit(obj, "maxUnavailable"),
        description="Pods that may be missing.",
    ),
    Column(
        "Allowed Disruptions",
        "integer",
        lambda obj, _: (obj.get("status") or {}).get("disruptionsAllowed") or 0,
        description="Pods that may be evicted now.",
    ),
    AGE,
)
