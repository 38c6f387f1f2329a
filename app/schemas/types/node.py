"""node.k8s.io/v1: runtime classes."""

from __future__ import annotations

from app.schemas.fields import ListOf, MapOf, Quantity, String, StringMap, Struct, Type
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_scheduling import Toleration


class NodeType(Type):
    """Types of this group."""

    package = "io.k8s.api.node.v1"


class Overhead(NodeType):
    """What a pod needs beyond its containers."""

    podFixed = MapOf(Quantity())


class Scheduling(NodeType):
    """Which nodes know the handler."""

    nodeSelector = StringMap("Labels of these nodes.")
    tolerations = ListOf(Struct(Toleration), "Taints of these nodes.")


class RuntimeClass(NodeType):
    """A way of running containers that pods can choose."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    handler = String("What the runtime calls it.", keep_zero=True, needed=True)
    overhead = Struct(Overhead)
    scheduling = Struct(Scheduling)
