"""What may not change of the kinds that make up a cluster (the ValidateXUpdate functions of Kubernetes in
pkg/apis/{core,storage,scheduling,networking}/validation)."""

from __future__ import annotations

from collections.abc import Callable

from app.objects.change import Object
from app.objects.quantity import nanos
from app.schemas.faults import Faults
from app.schemas.rules.storage import NOT_SOURCES
from app.schemas.spec_diff import spec_diff
from app.schemas.types.core_persistent import PersistentVolumeSpec
from app.schemas.types.core_volume import PersistentVolumeClaimSpec

IMMUTABLE = "field is immutable"
_CLAIM_RULE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"


def _fixed(*fields: str) -> Callable[[Object, Object, Faults], None]:
    """Fields that stay as they were, whether or not they had a value."""

    def rule(old: Object, new: Object, faults: Faults) -> None:
        for path in fields:
            before, after = old, new
            *outer, last = path.split(".")
            for name in outer:
                before, after = before.get(name) or {}, after.get(name) or {}
            if before.get(last) != after.get(last):
                faults.invalid(path, after.get(last), IMMUTABLE)

    return rule


def _persistent_volume(old: Object, new: Object, faults: Faults) -> None:
    before, after = old.get("spec") or {}, new.get("spec") or {}
    was = {name: value for name, value in before.items() if name not in NOT_SOURCES}
    now = {name: value for name, value in after.items() if name not in NOT_SOURCES}
    if was != now:
        where = "spec.persistentvolumesource"
        diff = spec_diff(PersistentVolumeSpec, was, now, "core.PersistentVolumeSource")
        faults.forbidden(where, f"{where} is immutable after creation\n{diff}")
    if before.get("volumeMode") != after.get("volumeMode"):
        faults.invalid("volumeMode", after.get("volumeMode"), IMMUTABLE)
    if before.get("nodeAffinity") is not None and before["nodeAffinity"] != after.get("nodeAffinity"):
        faults.invalid("spec.nodeAffinity", after.get("nodeAffinity"), IMMUTABLE)


def _claim(old: Object, new: Object, faults: Faults) -> None:
    before, after = old.get("spec") or {}, dict(new.get("spec") or {})
    bound = (old.get("status") or {}).get("phase") == "Bound"
    if not before.get("volumeName") and after.get("volumeName"):
        after["volumeName"] = before.get("volumeName")
    # A claim that names no class yet may be told of one.
    annotation = (old["metadata"].get("annotations") or {}).get(_OLD_CLASS)
    if before.get("storageClassName") is None and annotation in (None, after.get("storageClassName")):
        after["storageClassName"] = None
    if bound:
        after["resources"] = _with_storage(after.get("resources") or {}, _asked(before))
        after["volumeAttributesClassName"] = before.get("volumeAttributesClassName")
    after = {name: value for name, value in after.items() if value is not None}
    if after != before:
        diff = spec_diff(PersistentVolumeClaimSpec, before, after, "core.PersistentVolumeClaimSpec")
        faults.forbidden("spec", f"{_CLAIM_RULE}\n{diff}")
    _shrinking(old, new, faults)
    if before.get("volumeMode") != (new.get("spec") or {}).get("volumeMode"):
        faults.invalid("volumeMode", (new.get("spec") or {}).get("volumeMode"), IMMUTABLE)
    if before.get("volumeAttributesClassName") and not (new.get("spec") or {}).get(
        "volumeAttributesClassName"
    ):
        faults.forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden")


def _asked(spec: Object) -> str | None:
    return ((spec.get("resources") or {}).get("requests") or {}).get("storage")


def _with_storage(resources: Object, amount: str | None) -> Object:
    requests = {**(resources.get("requests") or {}), "storage": amount}
    return {**resources, "requests": {name: value for name, value in requests.items() if value is not None}}


def _shrinking(old: Object, new: Object, faults: Faults) -> None:
    """A claim may ask for less again, down to what it has."""
    was, wanted = _asked(old.get("spec") or {}), _asked(new.get("spec") or {})
    if was is None or wanted is None or nanos(wanted) >= nanos(was):
        return
    has = ((old.get("status") or {}).get("capacity") or {}).get("storage")
    if has is not None and nanos(wanted) <= nanos(has):
        faults.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


def _storage_class(old: Object, new: Object, faults: Faults) -> None:
    for field in ("parameters", "provisioner", "reclaimPolicy"):
        if (old.get(field) or None) != (new.get(field) or None):
            faults.forbidden(field, f"updates to {field} are forbidden.")
    if old.get("volumeBindingMode") != new.get("volumeBindingMode"):
        faults.invalid("volumeBindingMode", new.get("volumeBindingMode"), IMMUTABLE)


def _priority_class(old: Object, new: Object, faults: Faults) -> None:
    if old.get("value", 0) != new.get("value", 0):
        faults.forbidden("value", "may not be changed in an update.")
    if old.get("preemptionPolicy") != new.get("preemptionPolicy"):
        faults.invalid("preemptionPolicy", new.get("preemptionPolicy"), IMMUTABLE)


def _attributes_class(old: Object, new: Object, faults: Faults) -> None:
    if old.get("driverName") != new.get("driverName"):
        faults.forbidden("driverName", "updates to driverName are forbidden.")
    if (old.get("parameters") or {}) != (new.get("parameters") or {}):
        faults.forbidden("parameters", "updates to parameters are forbidden.")


def _quota(old: Object, new: Object, faults: Faults) -> None:
    before, after = (set((each.get("spec") or {}).get("scopes") or ()) for each in (old, new))
    if before != after:
        faults.invalid("spec.scopes", (new.get("spec") or {}).get("scopes"), IMMUTABLE)


UPDATE_RULES: dict[str, Callable[[Object, Object, Faults], None]] = {
    "csidrivers.storage.k8s.io": _fixed("spec.attachRequired", "spec.volumeLifecycleModes"),
    "ipaddresses.networking.k8s.io": _fixed("spec.parentRef"),
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _persistent_volume,
    "priorityclasses.scheduling.k8s.io": _priority_class,
    "resourcequotas": _quota,
    "runtimeclasses.node.k8s.io": _fixed("handler"),
    "servicecidrs.networking.k8s.io": _fixed("spec.cidrs"),
    "storageclasses.storage.k8s.io": _storage_class,
    "volumeattachments.storage.k8s.io": _fixed("spec"),
    "volumeattributesclasses.storage.k8s.io": _attributes_class,
}
