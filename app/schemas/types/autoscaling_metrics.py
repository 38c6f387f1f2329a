"""autoscaling/v2: what an autoscaler goes by, and what it measured."""

from __future__ import annotations

from app.schemas.fields import Int32, Quantity, String, Struct, Type
from app.schemas.meta import LabelSelector


class AutoscalingV2(Type):
    """Types of this group."""

    package = "io.k8s.api.autoscaling.v2"


class CrossVersionObjectReference(AutoscalingV2):
    """An object of this namespace."""

    kind = String("Kind of the object.", required=True, keep_zero=True)
    name = String(required=True, keep_zero=True)
    apiVersion = String("Version of the API that the object is written in.")


class MetricIdentifier(AutoscalingV2):
    """A metric by its name, and which of its values."""

    name = String(required=True, keep_zero=True)
    selector = Struct(LabelSelector)


class MetricTarget(AutoscalingV2):
    """What a metric should be."""

    type = String("Utilization, Value or AverageValue.", go="v2.MetricTargetType", keep_zero=True)
    value = Quantity("The value itself.")
    averageValue = Quantity("The value for each pod.")
    averageUtilization = Int32("Percent of what pods asked for.", keep_zero=True)


class MetricValueStatus(AutoscalingV2):
    """What a metric is."""

    value = Quantity("The value itself.")
    averageValue = Quantity("The value for each pod.")
    averageUtilization = Int32("Percent of what pods asked for.", keep_zero=True)


class ResourceMetricSource(AutoscalingV2):
    """Cpu or memory of the pods."""

    name = String("The resource.", go="v1.ResourceName", keep_zero=True)
    target = Struct(MetricTarget, "What it should be.", required=True, by_value=True)


class ContainerResourceMetricSource(AutoscalingV2):
    """Cpu or memory of one container of the pods."""

    name = String("The resource.", go="v1.ResourceName", keep_zero=True)
    target = Struct(MetricTarget, "What it should be.", required=True, by_value=True)
    container = String("The container's name.", keep_zero=True)


class PodsMetricSource(AutoscalingV2):
    """A metric that each pod has."""

    metric = Struct(MetricIdentifier, "Which.", required=True, by_value=True)
    target = Struct(MetricTarget, "What it should be.", required=True, by_value=True)


class ObjectMetricSource(AutoscalingV2):
    """A metric of one object."""

    describedObject = Struct(CrossVersionObjectReference, "The object.", required=True, by_value=True)
    target = Struct(MetricTarget, "What it should be.", required=True, by_value=True)
    metric = Struct(MetricIdentifier, "Which.", required=True, by_value=True)


class ExternalMetricSource(AutoscalingV2):
    """A metric of something outside the cluster."""

    metric = Struct(MetricIdentifier, "Which.", required=True, by_value=True)
    target = Struct(MetricTarget, "What it should be.", required=True, by_value=True)


class MetricSpec(AutoscalingV2):
    """One thing that an autoscaler goes by; the field that `type` names says what."""

    type = String(
        "ContainerResource, External, Object, Pods or Resource.", go="v2.MetricSourceType", keep_zero=True
    )
    object = Struct(ObjectMetricSource)
    pods = Struct(PodsMetricSource)
    resource = Struct(ResourceMetricSource)
    containerResource = Struct(ContainerResourceMetricSource)
    external = Struct(ExternalMetricSource)


class ResourceMetricStatus(AutoscalingV2):
    """Cpu or memory of the pods, as measured."""

    name = String("The resource.", go="v1.ResourceName", keep_zero=True)
    current = Struct(MetricValueStatus, "What it is.", by_value=True)


class ContainerResourceMetricStatus(AutoscalingV2):
    """Cpu or memory of one container of the pods, as measured."""

    name = String("The resource.", go="v1.ResourceName", keep_zero=True)
    current = Struct(MetricValueStatus, "What it is.", by_value=True)
    container = String("The container's name.", keep_zero=True)


class PodsMetricStatus(AutoscalingV2):
    """A metric that each pod has, as measured."""

    metric = Struct(MetricIdentifier, "Which.", by_value=True)
    current = Struct(MetricValueStatus, "What it is.", by_value=True)


class ObjectMetricStatus(AutoscalingV2):
    """A metric of one object, as measured."""

    metric = Struct(MetricIdentifier, "Which.", by_value=True)
    current = Struct(MetricValueStatus, "What it is.", by_value=True)
    describedObject = Struct(CrossVersionObjectReference, "The object.", by_value=True)


class ExternalMetricStatus(AutoscalingV2):
    """A metric of something outside the cluster, as measured."""

    metric = Struct(MetricIdentifier, "Which.", by_value=True)
    current = Struct(MetricValueStatus, "What it is.", by_value=True)


class MetricStatus(AutoscalingV2):
    """What was measured of one thing."""

    type = String(go="v2.MetricSourceType", keep_zero=True)
    object = Struct(ObjectMetricStatus)
    pods = Struct(PodsMetricStatus)
    resource = Struct(ResourceMetricStatus)
    containerResource = Struct(ContainerResourceMetricStatus)
    external = Struct(ExternalMetricStatus)
