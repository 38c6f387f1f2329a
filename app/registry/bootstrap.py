"""What every cluster has from its first moment: its namespaces, a storage class, and the Service of its own API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.base.errors import AlreadyExists
from app.objects import persistent
from app.objects.admitted import PRIORITIES
from app.registry import addresses, cluster_info
from app.registry.access import bootstrap as access_bootstrap
from app.registry.access.attributes import MASTERS
from app.registry.request import Request
from app.schemas import kinds

if TYPE_CHECKING:
    from app.registry.registry import Registry

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
API_SERVICE = "kubernetes"
ACTOR = "system:apiserver"
CLASSES = "priorityclasses.scheduling.k8s.io"
STORAGE_CLASSES = persistent.CLASSES
CRITICAL = "Used for system critical pods that must not be moved from their current node or cluster."


def bootstrap(registry: Registry, host: str, port: int) -> None:
    """Create what is missing, and make the API's endpoints say `host` (an IPv4 address) and `port`.

    May be called by every API process at every start, at the same time.
    """
    request = Request(user=ACTOR, groups=(MASTERS,), trace=registry.ids.trace())
    for name in NAMESPACES:
        _ensure(registry, request, "namespaces", "", {"metadata": {"name": name}})
    for name, value in PRIORITIES.items():
        _ensure(
            registry,
            request,
            CLASSES,
            "",
            {"metadata": {"name": name}, "value": value, "description": CRITICAL},
        )
    _ensure(registry, request, STORAGE_CLASSES, "", _local_class())
    access_bootstrap.ensure(registry, request)
    cluster_info.publish(registry, request)
    labels = {"component": "apiserver", "provider": "kubernetes"}
    address = addresses.first_service_address(registry.settings.service_cidr)
    _ensure(
        registry,
        request,
        "services",
        "default",
        {
            "metadata": {"name": API_SERVICE, "labels": labels},
            "spec": {
                "clusterIP": address,
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
            },
        },
    )
    mirror = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    _ensure_same(
        registry,
        request,
        "endpoints",
        {
            "metadata": {"name": API_SERVICE, "labels": mirror},
            "subsets": [
                {
                    "addresses": [{"ip": host}],
                    "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
                }
            ],
        },
    )
    _ensure_same(
        registry,
        request,
        "endpointslices.discovery.k8s.io",
        {
            "metadata": {"name": API_SERVICE, "labels": {"kubernetes.io/service-name": API_SERVICE}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [host], "conditions": {"ready": True}}],
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
        },
    )


def _local_class() -> Any:
    """The class of claims that name none: folders of nodes."""
    return {
        "metadata": {"name": "local", "annotations": {persistent.DEFAULT_CLASS: "true"}},
        "provisioner": persistent.LOCAL,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }


def _ensure(registry: Registry, request: Request, resource: str, namespace: str, obj: Any) -> bool:
    """Create it unless it is there. Whether it was created."""
    kind = kinds.by_resource(resource)
    key = f"{namespace}/{obj['metadata']['name']}" if namespace else obj["metadata"]["name"]
    if registry.store.get(resource, key) is not None:
        return False
    try:
        registry.create(request, kind, namespace, obj)
    except AlreadyExists:
        return False
    return True


def _ensure_same(registry: Registry, request: Request, resource: str, obj: Any) -> None:
    """Create it in `default`, or make it say what it should."""
    if not _ensure(registry, request, resource, "default", obj):
        kind = kinds.by_resource(resource)
        registry.replace(request, kind, "default", obj["metadata"]["name"], obj)
