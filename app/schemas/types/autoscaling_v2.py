"""autoscaling/v2: HorizontalPodAutoscalers, which keep the number of pods in proportion to what they use."""

from __future__ import annotations

from app.schemas.fields import Int32, Int64, ListOf, Quantity, String, Struct, Time
from app.schemas.meta import ObjectMeta
from app.schemas.types.autoscaling_metrics import (
    AutoscalingV2,
    CrossVersionObjectReference,
    MetricSpec,
    MetricStatus,
)


class HPAScalingPolicy(AutoscalingV2):
    """How far the number of pods may move within a time."""

    type = String("Pods or Percent.", go="v2.HPAScalingPolicyType", keep_zero=True)
    value = Int32("How many pods, or percent of them.", required=True, keep_zero=True)
    periodSeconds = Int32("The time.", required=True, keep_zero=True)


class HPAScalingRules(AutoscalingV2):
    """How fast, in one direction."""

    stabilizationWindowSeconds = Int32(
        "Time over which the most cautious recommendation counts.", keep_zero=True
    )
    selectPolicy = String(
        "Which policy counts: Max, Min, or Disabled for none.", go="v2.ScalingPolicySelect", keep_zero=True
    )
    policies = ListOf(Struct(HPAScalingPolicy), "How far within which time.", list_type="atomic")
    tolerance = Quantity("How far off the target is near enough.")


class HorizontalPodAutoscalerBehavior(AutoscalingV2):
    """How fast the number of pods may change."""

    scaleUp = Struct(HPAScalingRules, "When it grows.")
    scaleDown = Struct(HPAScalingRules, "When it shrinks.")


class HorizontalPodAutoscalerSpec(AutoscalingV2):
    """What is scaled, between which bounds, after what."""

    scaleTargetRef = Struct(CrossVersionObjectReference, "What is scaled.", required=True, by_value=True)
    minReplicas = Int32("How few pods there may be.", keep_zero=True, default=1)
    maxReplicas = Int32("How many pods there may be.", required=True, keep_zero=True)
    metrics = ListOf(Struct(MetricSpec), "What it goes by; the largest result counts.", list_type="atomic")
    behavior = Struct(HorizontalPodAutoscalerBehavior, "How fast the number of pods may change.")


class HorizontalPodAutoscalerCondition(AutoscalingV2):
    """One aspect of an autoscaler, such as ScalingActive."""

    type = String(go="v2.HorizontalPodAutoscalerConditionType", required=True, keep_zero=True)
    status = String("What was observed.", go="v1.ConditionStatus", required=True, keep_zero=True)
    lastTransitionTime = Time()
    reason = String()
    message = String()
    observedGeneration = Int64()


class HorizontalPodAutoscalerStatus(AutoscalingV2):
    """What the autoscaler saw and did last."""

    observedGeneration = Int64("The generation that this status is of.", keep_zero=True)
    lastScaleTime = Time("When it last changed the number of pods.")
    currentReplicas = Int32("Pods there are.")
    desiredReplicas = Int32("Pods there should be.", required=True, keep_zero=True)
    currentMetrics = ListOf(Struct(MetricStatus), "What was measured.", keep_zero=True, list_type="atomic")
    conditions = ListOf(
        Struct(HorizontalPodAutoscalerCondition),
        "Aspects of what was observed, one of each type.",
        merge_key="type",
    )


class HorizontalPodAutoscaler(AutoscalingV2):
    """Keeps the number of pods in proportion to what they use."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(HorizontalPodAutoscalerSpec, "What is wanted.", by_value=True)
    status = Struct(HorizontalPodAutoscalerStatus, "What was observed.", by_value=True)
