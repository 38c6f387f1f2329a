"""API group autoscaling: autoscalers are stored as v2."""

from __future__ import annotations

from app.schemas import conversion_autoscaler
from app.schemas.columns import autoscaling as columns_autoscaling
from app.schemas.kind import Conversion, Kind, one_by_one
from app.schemas.types import autoscaling, autoscaling_v2

V2 = Kind(
    "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "horizontalpodautoscaler", True,
    autoscaling_v2.HorizontalPodAutoscaler, short_names=("hpa",), categories=("all",),
    subresources=frozenset({"status"}), columns=columns_autoscaling.AUTOSCALER,
)  # fmt: skip

V1 = Kind(
    "autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "horizontalpodautoscaler", True,
    autoscaling.HorizontalPodAutoscaler, short_names=("hpa",), categories=("all",),
    subresources=frozenset({"status"}), columns=columns_autoscaling.AUTOSCALER_V1,
    conversion=Conversion(
        V2, one_by_one(conversion_autoscaler.to_v2), one_by_one(conversion_autoscaler.from_v2)
    ),
)  # fmt: skip

KINDS: tuple[Kind, ...] = (V2, V1)
