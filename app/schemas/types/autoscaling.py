"""autoscaling/v1: the body of the `scale` subresource, and autoscalers in their older form."""

from __future__ import annotations

from app.schemas.fields import Int32, Int64, String, Struct, Time, Type
from app.schemas.formats import not_negative
from app.schemas.meta import ObjectMeta


class Autoscaling(Type):
    """Types of this group."""

    package = "io.k8s.api.autoscaling.v1"


class ScaleSpec(Autoscaling):
    """How many pods are wanted."""

    replicas = Int32("How many pods are wanted.", check=not_negative)


class ScaleStatus(Autoscaling):
    """How many pods there are."""

    replicas = Int32(required=True, keep_zero=True)
    selector = String()


class Scale(Autoscaling):
    """The number of pods of something that can be scaled."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(ScaleSpec, "What is wanted.", by_value=True)
    status = Struct(ScaleStatus, "What was observed.", by_value=True)


class CrossVersionObjectReference(Autoscaling):
    """Something of this namespace that can be scaled."""

    kind = String("Kind of the object.", required=True, keep_zero=True)
    name = String(required=True, keep_zero=True)
    apiVersion = String("Version of the API that the object is written in.")


class HorizontalPodAutoscalerSpec(Autoscaling):
    """What is scaled, between which bounds, after how much cpu."""

    scaleTargetRef = Struct(CrossVersionObjectReference, "What is scaled.", required=True, by_value=True)
    minReplicas = Int32("How few pods there may be.", keep_zero=True, default=1)
    maxReplicas = Int32("How many pods there may be.", required=True, keep_zero=True)
    targetCPUUtilizationPercentage = Int32(
        "How much of the cpu that they asked for pods should use on average.", keep_zero=True
    )


class HorizontalPodAutoscalerStatus(Autoscaling):
    """What the autoscaler saw and did last."""

    observedGeneration = Int64("The generation that this status is of.", keep_zero=True)
    lastScaleTime = Time("When it last changed the number of pods.")
    currentReplicas = Int32("Pods there are.", required=True, keep_zero=True)
    desiredReplicas = Int32("Pods there should be.", required=True, keep_zero=True)
    currentCPUUtilizationPercentage = Int32("What pods use of what they asked for.", keep_zero=True)


class HorizontalPodAutoscaler(Autoscaling):
    """Keeps the number of pods in proportion to what they use."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(HorizontalPodAutoscalerSpec, "What is wanted.", by_value=True)
    status = Struct(HorizontalPodAutoscalerStatus, "What was observed.", by_value=True)
