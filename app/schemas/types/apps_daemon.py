"""apps/v1: DaemonSets."""

from __future__ import annotations

from app.schemas.fields import Int32, Int64, IntOrString, ListOf, String, Struct, Time
from app.schemas.formats import not_negative
from app.schemas.meta import LabelSelector, ObjectMeta
from app.schemas.types.apps import Apps
from app.schemas.types.core_pod import PodTemplateSpec


class RollingUpdateDaemonSet(Apps):
    """How many nodes may be without an available pod, or have two, during an update."""

    maxUnavailable = IntOrString(
        "How many nodes may be without an available pod, as a number or share.", default=1
    )
    maxSurge = IntOrString(
        "On how many nodes the new pod may start before the old one goes, as a number or share.", default=0
    )


class DaemonSetUpdateStrategy(Apps):
    """How old pods are replaced by new ones."""

    type = String(
        "RollingUpdate, or OnDelete: only where somebody deletes the old one.",
        go="v1.DaemonSetUpdateStrategyType",
        default="RollingUpdate",
        choices=("RollingUpdate", "OnDelete"),
    )
    rollingUpdate = Struct(RollingUpdateDaemonSet, "Settings of a rolling update.")


class DaemonSetSpec(Apps):
    """What runs on the nodes, and on which."""

    selector = Struct(
        LabelSelector, "Which pods belong to it; it can not be changed.", required=True, immutable=True
    )
    template = Struct(
        PodTemplateSpec,
        "What its pods look like. There is one on each node that the template's node selector and affinity match "
        "and whose taints it tolerates.",
        required=True,
        by_value=True,
    )
    updateStrategy = Struct(
        DaemonSetUpdateStrategy, "How old pods are replaced by new ones.", by_value=True, default={}
    )
    minReadySeconds = Int32(
        "How long a new pod must have been ready to count as available.", check=not_negative
    )
    revisionHistoryLimit = Int32(
        "How many old revisions are kept for rollback.", keep_zero=True, default=10, check=not_negative
    )


class DaemonSetCondition(Apps):
    """One aspect of a daemon set."""

    type = String(go="v1.DaemonSetConditionType", keep_zero=True)
    status = String("What was observed.", go="v1.ConditionStatus", keep_zero=True)
    lastTransitionTime = Time()
    reason = String()
    message = String()


class DaemonSetStatus(Apps):
    """On how many nodes a daemon set runs, and should."""

    currentNumberScheduled = Int32("Nodes that have a pod and should.", required=True, keep_zero=True)
    numberMisscheduled = Int32("Nodes that have a pod and should not.", required=True, keep_zero=True)
    desiredNumberScheduled = Int32("Nodes that should have a pod.", required=True, keep_zero=True)
    numberReady = Int32("Nodes whose pod is ready.", required=True, keep_zero=True)
    observedGeneration = Int64("The generation that this status is of.")
    updatedNumberScheduled = Int32("Nodes whose pod is of the newest template.")
    numberAvailable = Int32("Nodes whose pod has been ready for long enough.")
    numberUnavailable = Int32("Nodes that should have an available pod and have none.")
    collisionCount = Int32("How often the name of a revision was taken by another.", keep_zero=True)
    conditions = ListOf(
        Struct(DaemonSetCondition), "Aspects of what was observed, one of each type.", merge_key="type"
    )


class DaemonSet(Apps):
    """Keeps one pod running on each of the nodes that it is for."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(DaemonSetSpec, "What is wanted.", by_value=True)
    status = Struct(DaemonSetStatus, "What was observed.", by_value=True)
