"""API group node.k8s.io."""

from __future__ import annotations

from app.schemas import columns_admission, node
from app.schemas.kind import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        "node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", "runtimeclass", False, node.RuntimeClass,
        columns=columns_admission.RUNTIME_CLASS,
    ),
)  # fmt: skip
