"""API group policy."""

from __future__ import annotations

from app.schemas.columns import policy as columns_policy
from app.schemas.kind import Kind
from app.schemas.types import policy

KINDS: tuple[Kind, ...] = (
    Kind(
        "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudget", True,
        policy.PodDisruptionBudget, short_names=("pdb",), subresources=frozenset({"status"}),
        columns=columns_policy.POD_DISRUPTION_BUDGET,
    ),
)  # fmt: skip
