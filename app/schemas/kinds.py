"""The registry of kinds: one line for each kind that the API serves."""

from __future__ import annotations

from app.schemas import (
    apps,
    autoscaling,
    columns_cluster,
    columns_network,
    columns_pod,
    columns_workload,
    coordination,
    core_config,
    core_event,
    core_node,
    core_pod,
    core_service,
    discovery,
    meta,
    policy,
)
from app.schemas.kind import Column, Kind

__all__ = [
    "ALL",
    "BINDING",
    "DELETE_OPTIONS",
    "EVICTION",
    "SCALE",
    "Column",
    "Kind",
    "by_kind",
    "by_path",
    "by_resource",
    "groups",
]

_STATUS = frozenset({"status"})

ALL: tuple[Kind, ...] = (
    Kind(
        "", "v1", "ConfigMap", "configmaps", "configmap", True, core_config.ConfigMap,
        short_names=("cm",), columns=columns_cluster.CONFIG_MAP,
    ),
    Kind(
        "", "v1", "Endpoints", "endpoints", "endpoints", True, core_service.Endpoints,
        short_names=("ep",), columns=columns_network.ENDPOINTS,
    ),
    Kind(
        "", "v1", "Event", "events", "event", True, core_event.Event,
        short_names=("ev",), columns=columns_cluster.EVENT,
    ),
    Kind(
        "", "v1", "Namespace", "namespaces", "namespace", False, core_config.Namespace,
        short_names=("ns",), subresources=frozenset({"status", "finalize"}),
        columns=columns_cluster.NAMESPACE,
    ),
    Kind(
        "", "v1", "Node", "nodes", "node", False, core_node.Node,
        short_names=("no",), subresources=_STATUS, columns=columns_cluster.NODE,
    ),
    Kind(
        "", "v1", "Pod", "pods", "pod", True, core_pod.Pod,
        short_names=("po",), categories=("all",),
        subresources=frozenset({"status", "binding", "log", "eviction"}), columns=columns_pod.POD,
    ),
    Kind(
        "", "v1", "Secret", "secrets", "secret", True, core_config.Secret, columns=columns_cluster.SECRET,
    ),
    Kind(
        "", "v1", "Service", "services", "service", True, core_service.Service,
        short_names=("svc",), categories=("all",), subresources=_STATUS, columns=columns_network.SERVICE,
    ),
    Kind(
        "", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", True, core_config.ServiceAccount,
        short_names=("sa",), columns=columns_cluster.SERVICE_ACCOUNT,
    ),
    Kind(
        "apps", "v1", "Deployment", "deployments", "deployment", True, apps.Deployment,
        short_names=("deploy",), categories=("all",), subresources=frozenset({"status", "scale"}),
        columns=columns_workload.DEPLOYMENT,
    ),
    Kind(
        "apps", "v1", "ReplicaSet", "replicasets", "replicaset", True, apps.ReplicaSet,
        short_names=("rs",), categories=("all",), subresources=frozenset({"status", "scale"}),
        columns=columns_workload.REPLICA_SET,
    ),
    Kind(
        "coordination.k8s.io", "v1", "Lease", "leases", "lease", True, coordination.Lease,
        columns=columns_cluster.LEASE,
    ),
    Kind(
        "discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice", True,
        discovery.EndpointSlice, columns=columns_network.ENDPOINT_SLICE,
    ),
)  # fmt: skip

# Bodies of requests. They are decoded like any kind, but there is no resource of their own.
SCALE = Kind("autoscaling", "v1", "Scale", "scales", "scale", True, autoscaling.Scale, verbs=())
EVICTION = Kind("policy", "v1", "Eviction", "evictions", "eviction", True, policy.Eviction, verbs=())
BINDING = Kind("", "v1", "Binding", "bindings", "binding", True, core_pod.Binding, verbs=())
DELETE_OPTIONS = Kind(
    "meta.k8s.io",
    "v1",
    "DeleteOptions",
    "deleteoptions",
    "deleteoptions",
    False,
    meta.DeleteOptions,
    verbs=(),
)

_BY_RESOURCE = {kind.resource: kind for kind in ALL}
_BY_PATH = {(kind.group, kind.version, kind.plural): kind for kind in ALL}
_BY_KIND = {(kind.group, kind.kind): kind for kind in ALL}


def by_resource(resource: str) -> Kind:
    """The kind served as `pods` or `deployments.apps`. Raises KeyError."""
    return _BY_RESOURCE[resource]


def by_path(group: str, version: str, plural: str) -> Kind | None:
    """The kind behind `/apis/<group>/<version>/<plural>`."""
    return _BY_PATH.get((group, version, plural))


def by_kind(group: str, kind: str) -> Kind | None:
    """The kind that objects call themselves by."""
    return _BY_KIND.get((group, kind))


def groups() -> dict[str, tuple[str, ...]]:
    """API groups with their versions, core ("") first."""
    found: dict[str, list[str]] = {}
    for kind in ALL:
        versions = found.setdefault(kind.group, [])
        if kind.version not in versions:
            versions.append(kind.version)
    return {group: tuple(versions) for group, versions in found.items()}
