"""scheduling.k8s.io/v1: classes of priority."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, String, Struct, Type
from app.schemas.meta import ObjectMeta


class Scheduling(Type):
    """Types of this group."""

    package = "io.k8s.api.scheduling.v1"


class PriorityClass(Scheduling):
    """A name for a priority: pods of higher priority are placed first."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    value = Int32("The priority that pods of this class get.", keep_zero=True, needed=True)
    globalDefault = Boolean("Whether pods that name no class are of this one.")
    description = String("When to use this class.")
    preemptionPolicy = String(
        "Whether pods of this class may take the place of others.",
        go="v1.PreemptionPolicy",
        keep_zero=True,
        default="PreemptLowerPriority",
    )
