"""API group metrics.k8s.io. Its resources are called as those of core, which is found first."""

from __future__ import annotations

from app.objects.usage import GROUP
from app.schemas.columns import metrics as columns_metrics
from app.schemas.kind import Kind
from app.schemas.types import metrics

KINDS: tuple[Kind, ...] = (
    Kind(
        GROUP, "v1beta1", "NodeMetrics", "nodes", "nodemetrics", False, metrics.NodeMetrics,
        columns=columns_metrics.NODE, verbs=("get", "list"),
    ),
    Kind(
        GROUP, "v1beta1", "PodMetrics", "pods", "podmetrics", True, metrics.PodMetrics,
        columns=columns_metrics.POD, verbs=("get", "list"),
    ),
)  # fmt: skip
