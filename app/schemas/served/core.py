"""API group core."""

from __future__ import annotations

from app.schemas import (
    columns_cluster,
    columns_network,
    columns_pod,
    core_config,
    core_event,
    core_node,
    core_pod,
    core_service,
)
from app.schemas.kind import Kind

KINDS: tuple[Kind, ...] = (
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
        short_names=("no",), subresources=frozenset({"status"}), columns=columns_cluster.NODE,
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
        short_names=("svc",), categories=("all",), subresources=frozenset({"status"}), columns=columns_network.SERVICE,
    ),
    Kind(
        "", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", True, core_config.ServiceAccount,
        short_names=("sa",), columns=columns_cluster.SERVICE_ACCOUNT,
    ),
)  # fmt: skip
