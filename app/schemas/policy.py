"""policy/v1: the body of the `eviction` subresource."""

from __future__ import annotations

from app.schemas.fields import String, Struct, Type
from app.schemas.meta import DeleteOptions, ObjectMeta


class Policy(Type):
    """Types of this group."""

    package = "io.k8s.api.policy.v1"


class Eviction(Policy):
    """Asks for a pod to be deleted as gently as its budget demands."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    deleteOptions = Struct(DeleteOptions)
