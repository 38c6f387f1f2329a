"""What a pod says about the nodes it may be placed on."""

from __future__ import annotations

from app.schemas.core_base import Core
from app.schemas.fields import Int32, Int64, ListOf, String, Struct
from app.schemas.formats import positive, qualified_name
from app.schemas.meta import LabelSelector


class NodeSelectorRequirement(Core):
    """One condition on a label or field of a node."""

    key = String(required=True, keep_zero=True, check=qualified_name)
    operator = String(
        go="v1.NodeSelectorOperator",
        required=True,
        keep_zero=True,
        choices=("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"),
    )
    values = ListOf(String())


class NodeSelectorTerm(Core):
    """Conditions on a node that must all hold."""

    matchExpressions = ListOf(Struct(NodeSelectorRequirement))
    matchFields = ListOf(Struct(NodeSelectorRequirement))


class NodeSelector(Core):
    """Terms of which one must hold."""

    nodeSelectorTerms = ListOf(Struct(NodeSelectorTerm), required=True, keep_zero=True)


class PreferredSchedulingTerm(Core):
    """A preference for certain nodes, with its weight."""

    weight = Int32(required=True, keep_zero=True)
    preference = Struct(NodeSelectorTerm, by_value=True)


class NodeAffinity(Core):
    """Which nodes a pod needs or prefers."""

    requiredDuringSchedulingIgnoredDuringExecution = Struct(NodeSelector)
    preferredDuringSchedulingIgnoredDuringExecution = ListOf(Struct(PreferredSchedulingTerm))


class PodAffinityTerm(Core):
    """Pods that this one is to be near to or far from, and what near means."""

    labelSelector = Struct(LabelSelector)
    namespaces = ListOf(String())
    topologyKey = String(required=True, keep_zero=True)
    namespaceSelector = Struct(LabelSelector)
    matchLabelKeys = ListOf(String())
    mismatchLabelKeys = ListOf(String())


class WeightedPodAffinityTerm(Core):
    """A preference, with its weight."""

    weight = Int32(required=True, keep_zero=True)
    podAffinityTerm = Struct(PodAffinityTerm, by_value=True)


class PodAffinity(Core):
    """Pods that this one is to be near to."""

    requiredDuringSchedulingIgnoredDuringExecution = ListOf(Struct(PodAffinityTerm))
    preferredDuringSchedulingIgnoredDuringExecution = ListOf(Struct(WeightedPodAffinityTerm))


class PodAntiAffinity(Core):
    """Pods that this one is to be far from."""

    requiredDuringSchedulingIgnoredDuringExecution = ListOf(Struct(PodAffinityTerm))
    preferredDuringSchedulingIgnoredDuringExecution = ListOf(Struct(WeightedPodAffinityTerm))


class Affinity(Core):
    """Rules for placement by nodes and by other pods."""

    nodeAffinity = Struct(NodeAffinity)
    podAffinity = Struct(PodAffinity)
    podAntiAffinity = Struct(PodAntiAffinity)


class Toleration(Core):
    """A taint that the pod puts up with."""

    key = String("Key of the taint; empty stands for all, with the operator Exists.")
    operator = String("Equal or Exists.", go="v1.TolerationOperator", choices=("Equal", "Exists"))
    value = String()
    effect = String(
        "Effect of the taint; empty stands for all.",
        go="v1.TaintEffect",
        choices=("NoExecute", "NoSchedule", "PreferNoSchedule"),
    )
    tolerationSeconds = Int64("How long it is tolerated, for NoExecute.", keep_zero=True)


class TopologySpreadConstraint(Core):
    """How evenly pods are spread over zones, nodes or the like."""

    maxSkew = Int32(required=True, keep_zero=True, check=positive)
    topologyKey = String(required=True, keep_zero=True)
    whenUnsatisfiable = String(
        go="v1.UnsatisfiableConstraintAction",
        required=True,
        keep_zero=True,
        choices=("DoNotSchedule", "ScheduleAnyway"),
    )
    labelSelector = Struct(LabelSelector)
    minDomains = Int32(keep_zero=True, check=positive)
    nodeAffinityPolicy = String(go="v1.NodeInclusionPolicy", keep_zero=True, choices=("Honor", "Ignore"))
    nodeTaintsPolicy = String(go="v1.NodeInclusionPolicy", keep_zero=True, choices=("Honor", "Ignore"))
    matchLabelKeys = ListOf(String())
