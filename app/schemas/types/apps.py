"""apps/v1: Deployments and ReplicaSets."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, Int64, IntOrString, ListOf, String, Struct, Time, Type
from app.schemas.formats import not_negative
from app.schemas.meta import LabelSelector, ObjectMeta
from app.schemas.types.core_pod import PodTemplateSpec


class Apps(Type):
    """Types of this group."""

    package = "io.k8s.api.apps.v1"


class ReplicaSetSpec(Apps):
    """How many pods, and which."""

    replicas = Int32("How many pods are wanted.", keep_zero=True, default=1, check=not_negative)
    minReadySeconds = Int32(check=not_negative)
    selector = Struct(
        LabelSelector, "Which pods belong to it; it can not be changed.", required=True, immutable=True
    )
    template = Struct(PodTemplateSpec, "What its pods look like.", by_value=True)


class ReplicaSetCondition(Apps):
    """One aspect of a replica set."""

    type = String(go="v1.ReplicaSetConditionType", keep_zero=True)
    status = String("What was observed.", go="v1.ConditionStatus", keep_zero=True)
    lastTransitionTime = Time()
    reason = String()
    message = String()


class ReplicaSetStatus(Apps):
    """How many pods of a replica set there are and are ready."""

    replicas = Int32(required=True, keep_zero=True)
    fullyLabeledReplicas = Int32()
    readyReplicas = Int32()
    availableReplicas = Int32()
    terminatingReplicas = Int32(keep_zero=True)
    observedGeneration = Int64()
    conditions = ListOf(
        Struct(ReplicaSetCondition), "Aspects of what was observed, one of each type.", merge_key="type"
    )


class ReplicaSet(Apps):
    """Keeps a number of equal pods running."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(ReplicaSetSpec, "What is wanted.", required=True, by_value=True)
    status = Struct(ReplicaSetStatus, "What was observed.", by_value=True)


class RollingUpdateDeployment(Apps):
    """How many pods may be missing or surplus during an update."""

    maxUnavailable = IntOrString("How many pods may be missing, as a number or share.", default="25%")
    maxSurge = IntOrString("How many pods there may be in addition, as a number or share.", default="25%")


class DeploymentStrategy(Apps):
    """How old pods are replaced by new ones."""

    type = String(
        "RollingUpdate or Recreate.",
        go="v1.DeploymentStrategyType",
        default="RollingUpdate",
        choices=("Recreate", "RollingUpdate"),
    )
    rollingUpdate = Struct(RollingUpdateDeployment, "Settings of a rolling update.")


class DeploymentSpec(Apps):
    """Which pods, how many, and how they are updated."""

    replicas = Int32("How many pods are wanted.", keep_zero=True, default=1, check=not_negative)
    selector = Struct(
        LabelSelector, "Which pods belong to it; it can not be changed.", required=True, immutable=True
    )
    template = Struct(PodTemplateSpec, "What its pods look like.", required=True, by_value=True)
    strategy = Struct(
        DeploymentStrategy,
        "How old pods are replaced by new ones.",
        by_value=True,
        merge_strategy="retainKeys",
        default={},
    )
    minReadySeconds = Int32(
        "How long a new pod must have been ready to count as available.", check=not_negative
    )
    revisionHistoryLimit = Int32(
        "How many old replica sets are kept for rollback.", keep_zero=True, default=10, check=not_negative
    )
    paused = Boolean("Whether changes of the template wait.")
    progressDeadlineSeconds = Int32(
        "Time without progress after which it is reported as failed.",
        keep_zero=True,
        default=600,
        check=not_negative,
    )


class DeploymentCondition(Apps):
    """One aspect of a deployment, such as Available or Progressing."""

    type = String(go="v1.DeploymentConditionType", keep_zero=True)
    status = String("What was observed.", go="v1.ConditionStatus", keep_zero=True)
    lastUpdateTime = Time()
    lastTransitionTime = Time()
    reason = String()
    message = String()


class DeploymentStatus(Apps):
    """How far a deployment has come."""

    observedGeneration = Int64("The generation that this status is of.")
    replicas = Int32("Pods there are.")
    updatedReplicas = Int32("Pods of the newest template.")
    readyReplicas = Int32("Pods that are ready.")
    availableReplicas = Int32("Pods that have been ready for long enough.")
    unavailableReplicas = Int32("Pods that are missing.")
    terminatingReplicas = Int32(keep_zero=True)
    conditions = ListOf(
        Struct(DeploymentCondition), "Aspects of what was observed, one of each type.", merge_key="type"
    )
    collisionCount = Int32(keep_zero=True)


class Deployment(Apps):
    """Keeps equal pods running and updates them step by step."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(DeploymentSpec, "What is wanted.", required=True, by_value=True)
    status = Struct(DeploymentStatus, "What was observed.", by_value=True)
