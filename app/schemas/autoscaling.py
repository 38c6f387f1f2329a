"""autoscaling/v1: the body of the `scale` subresource."""

from __future__ import annotations

from app.schemas.fields import Int32, String, Struct, Type
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
