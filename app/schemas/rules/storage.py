"""Rules for persistent volumes, claims and classes of storage (k8s.io/kubernetes/pkg/apis/core/validation and
storage/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.quantity import nanos
from app.schemas.faults import Faults
from app.schemas.formats import dns_subdomain, qualified_name

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
ALONE = "ReadWriteOncePod"
VOLUME_MODES = ("Block", "Filesystem")
RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
# What a PersistentVolumeSpec has beside its source.
NOT_SOURCES = frozenset(
    {
        "accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy",
        "storageClassName", "volumeAttributesClassName", "volumeMode",
    }
)  # fmt: skip
PARAMETERS_LIMIT = 512
PARAMETERS_SIZE = 256 * 1024


def persistent_volume_spec(spec: Object, path: str, faults: Faults) -> None:
    if not spec.get("accessModes"):
        faults.required(f"{path}.accessModes")
    _access_modes(spec, path, faults)
    capacity = spec.get("capacity") or {}
    if not capacity:
        faults.required(f"{path}.capacity")
    elif set(capacity) != {"storage"}:
        faults.not_supported(f"{path}.capacity", capacity, ("storage",))
    for name, amount in capacity.items():
        if nanos(amount) <= 0:
            faults.invalid(f"{path}.capacity[{name}]", amount, "must be greater than zero")
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy and policy not in RECLAIM_POLICIES:
        faults.not_supported(f"{path}.persistentVolumeReclaimPolicy", policy, RECLAIM_POLICIES)
    affinity = spec.get("nodeAffinity")
    if affinity is not None and affinity.get("required") is None:
        faults.required(f"{path}.nodeAffinity.required", "must specify required node constraints")
    _source(spec, path, faults)
    _class_name(spec, "storageClassName", path, faults)
    _volume_mode(spec, path, faults)


def _source(spec: Object, path: str, faults: Faults) -> None:
    sources = [name for name in spec if name not in NOT_SOURCES and spec[name] is not None]
    if not sources:
        faults.required(path, "must specify a volume type")
    for extra in sources[1:]:
        faults.forbidden(f"{path}.{extra}", "may not specify more than 1 volume type")
    host = (spec.get("hostPath") or {}).get("path", "")
    if ".." in host.split("/"):
        faults.invalid(f"{path}.hostPath.path", host, "must not contain '..'")
    if host and not host.strip("/") and spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        faults.forbidden(
            f"{path}.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'"
        )
    if spec.get("local") is not None:
        local = spec["local"].get("path", "")
        if ".." in local.split("/"):
            faults.invalid(f"{path}.local.path", local, "must not contain '..'")
        if spec.get("nodeAffinity") is None:
            faults.required(f"{path}.nodeAffinity", "Local volume requires node affinity")


def claim_spec(spec: Object, path: str, faults: Faults) -> None:
    if not spec.get("accessModes"):
        faults.required(f"{path}.accessModes", "at least 1 access mode is required")
    _access_modes(spec, path, faults)
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    where = f"{path}.resources[storage]"
    if asked is None:
        faults.required(where)
    elif nanos(asked) <= 0:
        faults.invalid(where, asked, "must be greater than zero")
    _class_name(spec, "storageClassName", path, faults)
    _volume_mode(spec, path, faults)
    _class_name(spec, "volumeAttributesClassName", path, faults)


def _access_modes(spec: Object, path: str, faults: Faults) -> None:
    modes = spec.get("accessModes") or ()
    for mode in modes:
        if mode not in ACCESS_MODES:
            faults.not_supported(f"{path}.accessModes", mode, ACCESS_MODES)
    if ALONE in modes and len(modes) > 1:
        faults.forbidden(f"{path}.accessModes", f"may not use {ALONE} with other access modes")


def _class_name(spec: Object, field: str, path: str, faults: Faults) -> None:
    name = spec.get(field)
    if name:
        faults.all_invalid(f"{path}.{field}", name, dns_subdomain(name))


def _volume_mode(spec: Object, path: str, faults: Faults) -> None:
    mode = spec.get("volumeMode")
    if mode is not None and mode not in VOLUME_MODES:
        faults.not_supported(f"{path}.volumeMode", mode, VOLUME_MODES)


def storage_class(given: Object, path: str, faults: Faults) -> None:
    provisioner = given.get("provisioner") or ""
    if provisioner:
        faults.all_invalid("provisioner", provisioner, qualified_name(provisioner.lower()))
    _parameters(given.get("parameters") or {}, faults)
    policy = given.get("reclaimPolicy")
    if policy and policy not in ("Delete", "Retain"):
        faults.not_supported("reclaimPolicy", policy, ("Delete", "Retain"))
    mode = given.get("volumeBindingMode")
    if mode is not None and mode not in BINDING_MODES:
        faults.not_supported("volumeBindingMode", mode, BINDING_MODES)
    for i, term in enumerate(given.get("allowedTopologies") or ()):
        seen: set[str] = set()
        for j, requirement in enumerate(term.get("matchLabelExpressions") or ()):
            where = f"allowedTopologies[{i}].matchLabelExpressions[{j}]"
            key = requirement.get("key", "")
            faults.all_invalid(f"{where}.key", key, qualified_name(key) if key else ())
            if key in seen:
                faults.duplicate(f"{where}.key", key)
            seen.add(key)


def _parameters(parameters: Object, faults: Faults) -> None:
    if len(parameters) > PARAMETERS_LIMIT:
        faults.too_long("parameters", PARAMETERS_LIMIT)
        return
    size = 0
    for key, value in parameters.items():
        if not key:
            faults.invalid("parameters", key, "field can not be empty.")
        size += len(key.encode()) + len(value.encode("utf-8", "surrogatepass"))
    if size > PARAMETERS_SIZE:
        faults.too_long("parameters", PARAMETERS_SIZE)


def volume_attributes_class(given: Object, path: str, faults: Faults) -> None:
    parameters = given.get("parameters") or {}
    if not parameters:
        faults.required("parameters", "must contain at least one key/value pair")
    _parameters(parameters, faults)
    driver_name(given.get("driverName") or "", "driverName", faults)


def driver_name(name: str, path: str, faults: Faults) -> None:
    """The name of a CSI driver. That it is given is declared on its field."""
    if len(name) > 63:
        faults.too_long(path, 63)
    if name:
        faults.all_invalid(path, name, dns_subdomain(name.lower()))
