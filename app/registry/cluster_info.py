"""`cluster-info` in `kube-public`: what a machine has to know of the cluster that it is to join, for anybody to read
(the Role `kubeadm:bootstrap-signer-clusterinfo` is one of the default ones).

https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/#create-the-public-cluster-info-configmap
"""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING

import orjson

from app.base.errors import AlreadyExists, Conflict
from app.base.settings import Settings
from app.objects.change import Object
from app.registry.request import Request
from app.schemas import kinds

if TYPE_CHECKING:
    from app.registry.registry import Registry

NAMESPACE = "kube-public"
NAME = "cluster-info"
# Settings that all programs of a cluster must have alike.
SHARED = ("cluster", "service_cidr", "pod_cidr", "node_cidr_prefix", "cluster_domain")


def publish(registry: Registry, request: Request) -> None:
    """Make what is missing of it, and let it name this API's address and authority."""
    authority = registry.trust.ca
    if not authority:
        return
    config = orjson.dumps(_kubeconfig(registry.settings, authority)).decode()
    meta = {"name": NAME, "namespace": NAMESPACE}
    info = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"kubeconfig": config}}
    if not _made(registry, request, "configmaps", NAMESPACE, info):
        stored = registry.store.get("configmaps", f"{NAMESPACE}/{NAME}")
        found: Object = orjson.loads(stored.body) if stored else info
        data = found.get("data") or {}
        if data.get("kubeconfig") != config:
            changed = {**found, "data": {**data, "kubeconfig": config}}
            # A conflict: another API process is doing the same.
            with contextlib.suppress(Conflict):
                registry.replace(request, kinds.by_resource("configmaps"), NAMESPACE, NAME, changed)


def _kubeconfig(settings: Settings, authority: str) -> Object:
    """As kubeadm writes it. What an agent needs besides stands in an extension, so that it is signed as well."""
    data = base64.b64encode(authority.encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "",
                "cluster": {
                    "server": settings.server,
                    "certificate-authority-data": data,
                    "extensions": [
                        {"name": "beanpole", "extension": {name: getattr(settings, name) for name in SHARED}}
                    ],
                },
            }
        ],
    }


def _made(registry: Registry, request: Request, resource: str, namespace: str, obj: Object) -> bool:
    """Create it unless it is there. Whether it was created."""
    name = obj["metadata"]["name"]
    if registry.store.get(resource, f"{namespace}/{name}" if namespace else name) is not None:
        return False
    try:
        registry.create(request, kinds.by_resource(resource), namespace, obj)
    except AlreadyExists:
        return False
    return True
