"""apps/v1: StatefulSets."""

from __future__ import annotations

from app.schemas.fields import Int32, Int64, IntOrString, ListOf, String, Struct, Time
from app.schemas.formats import not_negative
from app.schemas.meta import LabelSelector, ObjectMeta
from app.schemas.types.apps import Apps
from app.schemas.types.core_persistent import PersistentVolumeClaim
from app.schemas.types.core_pod import PodTemplateSpec

_KEPT_OR_NOT = ("Retain", "Delete")


class RollingUpdateStatefulSetStrategy(Apps):
    """Which pods are updated, and how many at once."""

    partition = Int32(
        "Pods from this place on are updated, counted from the first; those before stay as they are.",
        keep_zero=True,
        default=0,
        check=not_negative,
    )
    maxUnavailable = IntOrString("How many pods may be missing, as a number or share.", default=1)


class StatefulSetUpdateStrategy(Apps):
    """How old pods are replaced by new ones."""

    type = String(
        "RollingUpdate, from the last pod to the first; or OnDelete: only those that somebody deletes.",
        go="v1.StatefulSetUpdateStrategyType",
        default="RollingUpdate",
    )
    rollingUpdate = Struct(RollingUpdateStatefulSetStrategy, "Settings of a rolling update.")


class StatefulSetPersistentVolumeClaimRetentionPolicy(Apps):
    """What becomes of the claims made from templates."""

    whenDeleted = String(
        "When the set is deleted: Retain or Delete.",
        go="v1.PersistentVolumeClaimRetentionPolicyType",
        default="Retain",
        choices=_KEPT_OR_NOT,
    )
    whenScaled = String(
        "When the set is scaled down: Retain or Delete.",
        go="v1.PersistentVolumeClaimRetentionPolicyType",
        default="Retain",
        choices=_KEPT_OR_NOT,
    )


class StatefulSetOrdinals(Apps):
    """How pods are numbered."""

    start = Int32("The number of the first pod.", keep_zero=True, check=not_negative)


class StatefulSetSpec(Apps):
    """Which pods, how many, and how they are updated."""

    replicas = Int32("How many pods are wanted.", keep_zero=True, default=1, check=not_negative)
    selector = Struct(LabelSelector, "Which pods belong to it; it can not be changed.", required=True)
    template = Struct(
        PodTemplateSpec,
        "What its pods look like. Each has a name that it keeps: that of the set and a number.",
        required=True,
        by_value=True,
    )
    volumeClaimTemplates = ListOf(
        Struct(PersistentVolumeClaim),
        "Claims of which each pod gets its own, mounted under the template's name.",
        list_type="atomic",
    )
    serviceName = String(
        "The headless service under which the pods have names of their own, `web-0.<service>`.",
        keep_zero=True,
    )
    podManagementPolicy = String(
        "OrderedReady: one pod after the other; Parallel: all at once.",
        go="v1.PodManagementPolicyType",
        default="OrderedReady",
    )
    updateStrategy = Struct(
        StatefulSetUpdateStrategy, "How old pods are replaced by new ones.", by_value=True, default={}
    )
    revisionHistoryLimit = Int32(
        "How many old revisions are kept for rollback.", keep_zero=True, default=10, check=not_negative
    )
    minReadySeconds = Int32(
        "How long a new pod must have been ready to count as available.", check=not_negative
    )
    persistentVolumeClaimRetentionPolicy = Struct(
        StatefulSetPersistentVolumeClaimRetentionPolicy,
        "What becomes of the claims when pods or the set go.",
        default={},
    )
    ordinals = Struct(StatefulSetOrdinals, "How pods are numbered.")


class StatefulSetCondition(Apps):
    """One aspect of a stateful set."""

    type = String(go="v1.StatefulSetConditionType", keep_zero=True)
    status = String("What was observed.", go="v1.ConditionStatus", keep_zero=True)
    lastTransitionTime = Time()
    reason = String()
    message = String()


class StatefulSetStatus(Apps):
    """How far a stateful set has come."""

    observedGeneration = Int64("The generation that this status is of.")
    replicas = Int32("Pods there are.", required=True, keep_zero=True)
    readyReplicas = Int32("Pods that are ready.")
    currentReplicas = Int32("Pods of the revision before the update.")
    updatedReplicas = Int32("Pods of the newest revision.")
    currentRevision = String("The revision before the update; the newest once that is through.")
    updateRevision = String("The newest revision.")
    collisionCount = Int32("How often the name of a revision was taken by another.", keep_zero=True)
    conditions = ListOf(
        Struct(StatefulSetCondition), "Aspects of what was observed, one of each type.", merge_key="type"
    )
    availableReplicas = Int32("Pods that have been ready for long enough.", keep_zero=True)


class StatefulSet(Apps):
    """Keeps pods running that each have a name, and storage, of their own."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(StatefulSetSpec, "What is wanted.", by_value=True)
    status = Struct(StatefulSetStatus, "What was observed.", by_value=True)
