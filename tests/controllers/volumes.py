"""Claims, volumes and classes for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.objects.change import Object
from tests.controllers.worlds import WHERE, pod

CLASSES = "storageclasses.storage.k8s.io"
WHERE.setdefault("persistentvolumes", ("v1", "PersistentVolume"))
WHERE.setdefault(CLASSES, ("storage.k8s.io/v1", "StorageClass"))


def storage_class(name: str, **more: Any) -> Object:
    body: Object = {"provisioner": "beanpole.dev/local", "volumeBindingMode": "WaitForFirstConsumer"}
    return {"metadata": {"name": name}, "reclaimPolicy": "Delete", **body, **more}


def claim(
    name: str,
    storage: str | None = "",
    size: str = "1Gi",
    modes: Sequence[str] = ("ReadWriteOnce",),
    **spec: Any,
) -> Object:
    meta: Object = {"name": name, "namespace": "default"}
    body = {"accessModes": list(modes), "resources": {"requests": {"storage": size}}, **spec}
    if storage is not None:
        body["storageClassName"] = storage
    return {"metadata": meta, "spec": body, "status": {"phase": "Pending"}}


def volume(
    name: str,
    storage: str = "",
    size: str = "1Gi",
    modes: Sequence[str] = ("ReadWriteOnce",),
    node: str = "",
    policy: str = "Retain",
    **spec: Any,
) -> Object:
    body = {
        "capacity": {"storage": size},
        "accessModes": list(modes),
        "storageClassName": storage,
        "persistentVolumeReclaimPolicy": policy,
        **spec,
    }
    if node:
        here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
        body["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}
        body["local"] = {"path": f"/disks/{name}"}
    else:
        body["hostPath"] = {"path": f"/data/{name}"}
    return {"metadata": {"name": name}, "spec": body, "status": {"phase": "Pending"}}


def mounting(name: str, *claims: str, labels: Any = None, **spec: Any) -> Object:
    volumes = [{"name": f"v{i}", "persistentVolumeClaim": {"claimName": c}} for i, c in enumerate(claims)]
    body = pod(name, **{"volumes": volumes, **spec})
    if labels:
        body["metadata"]["labels"] = labels
    return body
