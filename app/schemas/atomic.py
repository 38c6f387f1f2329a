"""Which types and maps have one owner, as a whole, in server-side apply (`x-kubernetes-map-type: atomic`).

From Kubernetes's published OpenAPI (api/openapi-spec). What is a list says so itself (`Field.list_type`).
"""

from __future__ import annotations

from app.schemas.fields import Type

_CORE = "io.k8s.api.core.v1"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_ADMISSION = "io.k8s.api.admissionregistration.v1"

ATOMIC_TYPES = frozenset({
    f"{_ADMISSION}.MatchResources",
    f"{_ADMISSION}.NamedRuleWithOperations",
    f"{_ADMISSION}.ParamKind",
    f"{_ADMISSION}.ParamRef",
    f"{_ADMISSION}.Variable",
    "io.k8s.api.autoscaling.v1.CrossVersionObjectReference",
    f"{_CORE}.ConfigMapKeySelector",
    f"{_CORE}.EndpointAddress",
    f"{_CORE}.EndpointPort",
    f"{_CORE}.FileKeySelector",
    f"{_CORE}.LocalObjectReference",
    f"{_CORE}.NodeSelector",
    f"{_CORE}.NodeSelectorTerm",
    f"{_CORE}.ObjectFieldSelector",
    f"{_CORE}.ObjectReference",
    f"{_CORE}.ResourceFieldSelector",
    f"{_CORE}.ScopeSelector",
    f"{_CORE}.SecretKeySelector",
    f"{_CORE}.SecretReference",
    f"{_CORE}.TopologySelectorTerm",
    f"{_CORE}.TypedLocalObjectReference",
    "io.k8s.api.discovery.v1.EndpointPort",
    "io.k8s.api.networking.v1.ServiceBackendPort",
    "io.k8s.api.rbac.v1.RoleRef",
    "io.k8s.api.rbac.v1.Subject",
    f"{_META}.LabelSelector",
    f"{_META}.OwnerReference",
})  # fmt: skip
_MAPS = frozenset({
    (f"{_CORE}.PodSpec", "nodeSelector"),
    (f"{_CORE}.ReplicationControllerSpec", "selector"),
    (f"{_CORE}.ServiceSpec", "selector"),
    ("io.k8s.api.node.v1.Scheduling", "nodeSelector"),
})  # fmt: skip


def is_atomic_map(schema: type[Type], name: str) -> bool:
    """Whether a type's field is a map that has one owner."""
    return (schema.openapi_name(), name) in _MAPS
