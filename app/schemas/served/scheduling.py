"""API group scheduling.k8s.io."""

from __future__ import annotations

from app.schemas import columns_admission, scheduling
from app.schemas.kind import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "priorityclass", False,
        scheduling.PriorityClass, short_names=("pc",), columns=columns_admission.PRIORITY_CLASS,
    ),
)  # fmt: skip
