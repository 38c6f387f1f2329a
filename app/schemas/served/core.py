"""API group core."""

from __future__ import annotations

from app.schemas.columns import admission as columns_admission
from app.schemas.columns import cluster as columns_cluster
from app.schemas.columns import network as columns_network
from app.schemas.columns import pod as columns_pod
from app.schemas.columns import sets as columns_sets
from app.schemas.columns import storage as columns_storage
from app.schemas.columns.column import DEFAULT
from app.schemas.kind import Kind
from app.schemas.types import (
    core_component,
    core_config,
    core_event,
    core_node,
    core_persistent,
    core_pod,
    core_quota,
    core_replication,
    core_service,
)

KINDS: tuple[Kind, ...] = (
    Kind("", "v1", "Binding", "bindings", "binding", True, core_pod.Binding, columns=DEFAULT, verbs=("create",)),
    Kind(
        "", "v1", "ComponentStatus", "componentstatuses", "componentstatus", False,
        core_component.ComponentStatus, short_names=("cs",), columns=columns_cluster.COMPONENT_STATUS,
        verbs=("get", "list"), warning="v1 ComponentStatus is deprecated in v1.19+",
    ),
    Kind(
        "", "v1", "ConfigMap", "configmaps", "configmap", True, core_config.ConfigMap,
        short_names=("cm",), columns=columns_cluster.CONFIG_MAP,
    ),
    Kind(
        "", "v1", "Endpoints", "endpoints", "endpoints", True, core_service.Endpoints,
        short_names=("ep",), columns=columns_network.ENDPOINTS,
        warning="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    ),
    Kind(
        "", "v1", "Event", "events", "event", True, core_event.Event,
        short_names=("ev",), columns=columns_cluster.EVENT,
    ),
    Kind(
        "", "v1", "LimitRange", "limitranges", "limitrange", True, core_quota.LimitRange,
        short_names=("limits",), columns=columns_admission.LIMIT_RANGE,
    ),
    Kind(
        "", "v1", "Namespace", "namespaces", "namespace", False, core_config.Namespace,
        short_names=("ns",), subresources=frozenset({"status", "finalize"}),
        columns=columns_cluster.NAMESPACE,
        # All at once can't be asked for: that would be the whole cluster.
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    ),
    Kind(
        "", "v1", "Node", "nodes", "node", False, core_node.Node,
        short_names=("no",), subresources=frozenset({"status", "proxy"}), columns=columns_cluster.NODE,
    ),
    Kind(
        "", "v1", "PersistentVolume", "persistentvolumes", "persistentvolume", False,
        core_persistent.PersistentVolume, short_names=("pv",), subresources=frozenset({"status"}),
        columns=columns_storage.PERSISTENT_VOLUME,
    ),
    Kind(
        "", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", True,
        core_persistent.PersistentVolumeClaim, short_names=("pvc",), subresources=frozenset({"status"}),
        columns=columns_storage.PERSISTENT_VOLUME_CLAIM,
    ),
    Kind(
        "", "v1", "Pod", "pods", "pod", True, core_pod.Pod,
        short_names=("po",), categories=("all",),
        subresources=frozenset(
            {"status", "binding", "log", "eviction", "ephemeralcontainers", "resize", "exec", "attach", "portforward", "proxy"}
        ),
        columns=columns_pod.POD,
    ),
    Kind(
        "", "v1", "PodTemplate", "podtemplates", "podtemplate", True, core_replication.PodTemplate,
        columns=columns_sets.POD_TEMPLATE,
    ),
    Kind(
        "", "v1", "ReplicationController", "replicationcontrollers", "replicationcontroller", True,
        core_replication.ReplicationController, short_names=("rc",), categories=("all",),
        subresources=frozenset({"status", "scale"}), columns=columns_sets.REPLICATION_CONTROLLER,
    ),
    Kind(
        "", "v1", "ResourceQuota", "resourcequotas", "resourcequota", True, core_quota.ResourceQuota,
        short_names=("quota",), subresources=frozenset({"status"}), columns=columns_admission.RESOURCE_QUOTA,
    ),
    Kind(
        "", "v1", "Secret", "secrets", "secret", True, core_config.Secret, columns=columns_cluster.SECRET,
    ),
    Kind(
        "", "v1", "Service", "services", "service", True, core_service.Service,
        short_names=("svc",), categories=("all",), subresources=frozenset({"status", "proxy"}), columns=columns_network.SERVICE,
    ),
    Kind(
        "", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", True, core_config.ServiceAccount,
        short_names=("sa",), subresources=frozenset({"token"}), columns=columns_cluster.SERVICE_ACCOUNT,
    ),
)  # fmt: skip
