"""API group scheduling.k8s.io."""

from __future__ import annotations

from app.schemas.columns import admission as columns_admission
from app.schemas.kind import Kind
from app.schemas.types import scheduling

KINDS: tuple[Kind, ...] = (
    Kind(
        "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "priorityclass", False,
        scheduling.PriorityClass, short_names=("pc",), columns=columns_admission.PRIORITY_CLASS,
    ),
)  # fmt: skip
