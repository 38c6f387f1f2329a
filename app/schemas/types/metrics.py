"""metrics.k8s.io/v1beta1: what nodes and pods use. Objects of it are made when asked for, never stored."""

from __future__ import annotations

from app.schemas.fields import ListOf, MapOf, Quantity, String, Struct, Time, Type
from app.schemas.meta import ObjectMeta

WINDOW = "Over how long cpu was measured, up to the timestamp."
USAGE = "What is used: cpu, as the average over the window, and the working set of memory."


class Metrics(Type):
    """Types of this group."""

    package = "io.k8s.metrics.pkg.apis.metrics.v1beta1"


class ContainerMetrics(Metrics):
    """What one container uses."""

    name = String("Name of the container in its pod.", required=True, keep_zero=True)
    usage = MapOf(Quantity(), USAGE, required=True, keep_zero=True)


class PodMetrics(Metrics):
    """What a pod uses, by container."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name and labels of the pod.", by_value=True)
    timestamp = Time("End of the window.", required=True, keep_zero=True)
    window = String(WINDOW, go="v1.Duration", required=True, keep_zero=True)
    containers = ListOf(Struct(ContainerMetrics), "What each container uses.", required=True, keep_zero=True)


class NodeMetrics(Metrics):
    """What a node uses as a whole."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name and labels of the node.", by_value=True)
    timestamp = Time("End of the window.", required=True, keep_zero=True)
    window = String(WINDOW, go="v1.Duration", required=True, keep_zero=True)
    usage = MapOf(Quantity(), USAGE, required=True, keep_zero=True)
