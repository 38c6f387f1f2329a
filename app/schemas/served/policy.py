"""API group policy."""

from __future__ import annotations

from app.schemas import columns_policy, policy
from app.schemas.kind import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudget", True,
        policy.PodDisruptionBudget, short_names=("pdb",), subresources=frozenset({"status"}),
        columns=columns_policy.POD_DISRUPTION_BUDGET,
    ),
)  # fmt: skip
