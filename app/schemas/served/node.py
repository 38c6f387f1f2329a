"""API group node.k8s.io."""

from __future__ import annotations

from app.schemas.columns import admission as columns_admission
from app.schemas.kind import Kind
from app.schemas.types import node

KINDS: tuple[Kind, ...] = (
    Kind(
        "node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", "runtimeclass", False, node.RuntimeClass,
        columns=columns_admission.RUNTIME_CLASS,
    ),
)  # fmt: skip
