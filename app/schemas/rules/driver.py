"""Rules for CSI drivers and attached volumes (k8s.io/kubernetes/pkg/apis/storage/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.quantity import nanos
from app.schemas.faults import Faults
from app.schemas.formats import dns_subdomain, qualified_name
from app.schemas.rules.storage import driver_name

FS_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
LIFECYCLE_MODES = ("Ephemeral", "Persistent")
LEAST_TOKEN_SECONDS = 600
MOST_TOKEN_SECONDS = 1 << 32
NODE_ID_LIMIT = 256


def csi_driver(given: Object, path: str, faults: Faults) -> None:
    name = (given.get("metadata") or {}).get("name") or ""
    if len(name) > 63:
        faults.too_long("metadata.name", 63)
    spec = given.get("spec") or {}
    policy = spec.get("fsGroupPolicy")
    if policy is not None and policy not in FS_GROUP_POLICIES:
        faults.not_supported("spec.fsGroupPolicy", policy, FS_GROUP_POLICIES)
    for mode in spec.get("volumeLifecycleModes") or ():
        if mode not in LIFECYCLE_MODES:
            faults.not_supported("spec.volumeLifecycleModes", mode, LIFECYCLE_MODES)
    seen: set[str] = set()
    for i, request in enumerate(spec.get("tokenRequests") or ()):
        where = f"spec.tokenRequests[{i}]"
        audience, seconds = request.get("audience", ""), request.get("expirationSeconds")
        if audience in seen:
            faults.duplicate(f"{where}.audience", audience)
        seen.add(audience)
        if seconds is not None and seconds < LEAST_TOKEN_SECONDS:
            faults.invalid(
                f"{where}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"
            )
        if seconds is not None and seconds > MOST_TOKEN_SECONDS:
            faults.invalid(
                f"{where}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"
            )
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < 10:
        faults.invalid(
            "spec.nodeAllocatableUpdatePeriodSeconds", period, "must be greater than or equal to 10 seconds"
        )


def csi_node_spec(spec: Object, path: str, faults: Faults) -> None:
    names: set[str] = set()
    for i, driver in enumerate(spec.get("drivers") or ()):
        where = f"{path}.drivers[{i}]"
        name = driver.get("name") or ""
        driver_name(name, f"{where}.name", faults)
        if name and name in names:
            faults.duplicate(f"{where}.name", name)
        names.add(name)
        if len(driver.get("nodeID") or "") > NODE_ID_LIMIT:
            faults.invalid(f"{where}.nodeID", driver["nodeID"], f"must be {NODE_ID_LIMIT} characters or less")
        count = (driver.get("allocatable") or {}).get("count")
        if count is not None and count < 0:
            faults.invalid(f"{where}.allocatable.count", count, "must be greater than or equal to 0")
        keys: set[str] = set()
        for key in driver.get("topologyKeys") or ():
            if not key:
                faults.required(f"{where}.topologyKeys")
            else:
                faults.all_invalid(f"{where}.topologyKeys", key, qualified_name(key))
            if key in keys:
                faults.duplicate(f"{where}.topologyKeys", key)
            keys.add(key)


def csi_storage_capacity(given: Object, path: str, faults: Faults) -> None:
    name = given.get("storageClassName") or ""
    if name:
        faults.all_invalid("storageClassName", name, dns_subdomain(name))
    for field in ("capacity", "maximumVolumeSize"):
        amount = given.get(field)
        if amount is not None and nanos(amount) < 0:
            faults.invalid(field, amount, "must be greater than or equal to 0")


def volume_attachment_spec(spec: Object, path: str, faults: Faults) -> None:
    driver_name(spec.get("attacher") or "", f"{path}.attacher", faults)
    source = spec.get("source") or {}
    name, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    if inline is None and name is None:
        faults.required(
            f"{path}.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        )
    elif inline is not None and name is not None:
        faults.forbidden(
            f"{path}.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        )
    elif name == "":
        faults.required(f"{path}.source.persistentVolumeName", "must specify non empty persistentVolumeName")
    elif name:
        faults.all_invalid(f"{path}.source.persistentVolumeName", name, dns_subdomain(name))
    node = spec.get("nodeName") or ""
    if node:
        faults.all_invalid(f"{path}.nodeName", node, dns_subdomain(node))
