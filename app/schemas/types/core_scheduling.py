"""What a pod says about the nodes it may be placed on."""

from __future__ import annotations

from app.schemas.fields import Int32, Int64, ListOf, String, Struct
from app.schemas.meta import LabelSelector
from app.schemas.types.core_base import Core


class NodeSelectorRequirement(Core):
    """One condition on a label or field of a node."""

    key = String(keep_zero=True, needed=True)
    operator = String(
        "In, NotIn, Exists, DoesNotExist, Gt or Lt.",
        go="v1.NodeSelectorOperator",
        keep_zero=True,
        needed=True,
    )
    values = ListOf(String())


class NodeSelectorTerm(Core):
    """Conditions on a node that must all hold."""

    matchExpressions = ListOf(Struct(NodeSelectorRequirement))
    matchFields = ListOf(Struct(NodeSelectorRequirement))


class NodeSelector(Core):
    """Terms of which one must hold."""

    nodeSelectorTerms = ListOf(Struct(NodeSelectorTerm), keep_zero=True, needed=True)


class PreferredSchedulingTerm(Core):
    """A preference for certain nodes, with its weight."""

    weight = Int32("1 to 100.", keep_zero=True, needed=True)
    preference = Struct(NodeSelectorTerm, by_value=True)


class NodeAffinity(Core):
    """Which nodes a pod needs or prefers."""

    requiredDuringSchedulingIgnoredDuringExecution = Struct(NodeSelector)
    preferredDuringSchedulingIgnoredDuringExecution = ListOf(Struct(PreferredSchedulingTerm))


class PodAffinityTerm(Core):
    """Pods that this one is to be near to or far from, and what near means."""

    labelSelector = Struct(LabelSelector)
    namespaces = ListOf(String())
    topologyKey = String("Label of nodes that says what is near.", keep_zero=True, needed=True)
    namespaceSelector = Struct(LabelSelector)
    matchLabelKeys = ListOf(String())
    mismatchLabelKeys = ListOf(String())


class WeightedPodAffinityTerm(Core):
    """A preference, with its weight."""

    weight = Int32("1 to 100.", keep_zero=True, needed=True)
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
        choices=("NoSchedule", "PreferNoSchedule", "NoExecute"),
    )
    tolerationSeconds = Int64("How long it is tolerated, for NoExecute.", keep_zero=True)


class TopologySpreadConstraint(Core):
    """How evenly pods are spread over zones, nodes or the like."""

    maxSkew = Int32("How many pods more a place may have than another.", keep_zero=True, needed=True)
    topologyKey = String("Label of nodes that says what a place is.", keep_zero=True, needed=True)
    whenUnsatisfiable = String(
        "DoNotSchedule or ScheduleAnyway.", go="v1.UnsatisfiableConstraintAction", keep_zero=True, needed=True
    )
    labelSelector = Struct(LabelSelector)
    minDomains = Int32(keep_zero=True)
    nodeAffinityPolicy = String(go="v1.NodeInclusionPolicy", keep_zero=True, choices=("Honor", "Ignore"))
    nodeTaintsPolicy = String(go="v1.NodeInclusionPolicy", keep_zero=True, choices=("Honor", "Ignore"))
    matchLabelKeys = ListOf(String())
