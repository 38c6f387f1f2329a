"""What makes pods in the core group: ReplicationControllers, which ReplicaSets have followed, and PodTemplates."""

from __future__ import annotations

from app.schemas.fields import Int32, Int64, ListOf, String, StringMap, Struct, Time
from app.schemas.formats import not_negative
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_base import Core
from app.schemas.types.core_pod import PodTemplateSpec


class ReplicationControllerSpec(Core):
    """How many pods, and which."""

    replicas = Int32("How many pods are wanted.", keep_zero=True, default=1, check=not_negative)
    minReadySeconds = Int32(
        "How long a new pod must have been ready to count as available.", check=not_negative
    )
    selector = StringMap("Labels of the pods that belong to it; those of the template where absent.")
    template = Struct(PodTemplateSpec, "What its pods look like.")


class ReplicationControllerCondition(Core):
    """One aspect of a replication controller."""

    type = String(go="v1.ReplicationControllerConditionType", required=True, keep_zero=True)
    status = String("What was observed.", go="v1.ConditionStatus", required=True, keep_zero=True)
    lastTransitionTime = Time()
    reason = String()
    message = String()


class ReplicationControllerStatus(Core):
    """How many pods of a replication controller there are and are ready."""

    replicas = Int32("Pods there are.", required=True, keep_zero=True)
    fullyLabeledReplicas = Int32("Pods that have all labels of the template.")
    readyReplicas = Int32("Pods that are ready.")
    availableReplicas = Int32("Pods that have been ready for long enough.")
    observedGeneration = Int64("The generation that this status is of.")
    conditions = ListOf(
        Struct(ReplicationControllerCondition),
        "Aspects of what was observed, one of each type.",
        merge_key="type",
    )


class ReplicationController(Core):
    """Keeps a number of equal pods running."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(ReplicationControllerSpec, "What is wanted.", by_value=True)
    status = Struct(ReplicationControllerStatus, "What was observed.", by_value=True)


class PodTemplate(Core):
    """A template of pods, kept for whoever makes pods of it."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    template = Struct(PodTemplateSpec, "What the pods look like.", by_value=True)
