"""The tables of persistent volumes, claims and storage classes."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME, UNSET
from app.schemas.kind import Column

_SHORT_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}


def _status(obj: Object) -> Object:
    return obj.get("status") or {}


def _modes(modes: list[str] | None) -> str:
    """Access modes as kubectl abbreviates them: RWO,ROX,RWX,RWOP."""
    given = modes or ()
    return ",".join(short for mode, short in _SHORT_MODES.items() if mode in given)


def _phase(obj: Object) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else _status(obj).get("phase", "")


def _claim(volume: Object) -> str:
    about = _spec(volume).get("claimRef")
    return f"{about.get('namespace', '')}/{about.get('name', '')}" if about else ""


def _class(obj: Object) -> str:
    """The class; older objects name it in an annotation."""
    annotations = obj["metadata"].get("annotations") or {}
    return (
        annotations.get("volume.beta.kubernetes.io/storage-class") or _spec(obj).get("storageClassName") or ""
    )


def _bound(claim: Object) -> Object:
    """The status of a claim that has its volume; nothing is shown of one that hasn't."""
    return _status(claim) if _spec(claim).get("volumeName") else {}


def _storage_class_name(storage_class: Object) -> str:
    meta = storage_class["metadata"]
    annotations = meta.get("annotations") or {}
    default = any(annotations.get(name) == "true" for name in _DEFAULT_CLASS)
    return f"{meta.get('name', '')} (default)" if default else meta.get("name", "")


_ATTRIBUTES = Column(
    "VolumeAttributesClass",
    "string",
    lambda obj, _: _spec(obj).get("volumeAttributesClassName") or UNSET,
    description="Class of its attributes.",
)
_MODE = Column(
    "VolumeMode",
    "string",
    lambda obj, _: _spec(obj).get("volumeMode") or UNSET,
    1,
    description="Filesystem or Block.",
)

PERSISTENT_VOLUME = (
    NAME,
    Column(
        "Capacity",
        "string",
        lambda obj, _: (_spec(obj).get("capacity") or {}).get("storage", "0"),
        description="How large it is.",
    ),
    Column(
        "Access Modes",
        "string",
        lambda obj, _: _modes(_spec(obj).get("accessModes")),
        description="From how many nodes it can be used.",
    ),
    Column(
        "Reclaim Policy",
        "string",
        lambda obj, _: _spec(obj).get("persistentVolumeReclaimPolicy", ""),
        description="What becomes of it when its claim is deleted.",
    ),
    Column("Status", "string", lambda obj, _: _phase(obj), description="Whether it is bound."),
    Column("Claim", "string", lambda obj, _: _claim(obj), description="The claim it is bound to."),
    Column("StorageClass", "string", lambda obj, _: _class(obj), description="The class it is of."),
    _ATTRIBUTES,
    Column(
        "Reason",
        "string",
        lambda obj, _: _status(obj).get("reason", ""),
        description="Why it is in that phase.",
    ),
    AGE,
    _MODE,
)

PERSISTENT_VOLUME_CLAIM = (
    NAME,
    Column("Status", "string", lambda obj, _: _phase(obj), description="Whether it has its volume."),
    Column("Volume", "string", lambda obj, _: _spec(obj).get("volumeName", ""), description="Its volume."),
    Column(
        "Capacity",
        "string",
        lambda obj, _: (_bound(obj).get("capacity") or {}).get("storage", "0") if _bound(obj) else "",
        description="How large its volume is.",
    ),
    Column(
        "Access Modes",
        "string",
        lambda obj, _: _modes(_bound(obj).get("accessModes")),
        description="From how many nodes its volume can be used.",
    ),
    Column("StorageClass", "string", lambda obj, _: _class(obj), description="The class it asks for."),
    _ATTRIBUTES,
    AGE,
    _MODE,
)

STORAGE_CLASS = (
    Column(
        "Name",
        "string",
        lambda obj, _: _storage_class_name(obj),
        format="name",
        description="Its name, and whether claims that name no class get it.",
    ),
    Column(
        "Provisioner",
        "string",
        lambda obj, _: obj.get("provisioner", ""),
        description="Who makes its volumes.",
    ),
    Column(
        "ReclaimPolicy",
        "string",
        lambda obj, _: obj.get("reclaimPolicy") or "Delete",
        description="What becomes of a volume when its claim is deleted.",
    ),
    Column(
        "VolumeBindingMode",
        "string",
        lambda obj, _: obj.get("volumeBindingMode") or UNSET,
        description="Whether volumes are made at once, or when a pod needs them.",
    ),
    Column(
        "AllowVolumeExpansion",
        "string",
        lambda obj, _: bool(obj.get("allowVolumeExpansion")),
        description="Whether claims may be made larger.",
    ),
    AGE,
)

VOLUME_ATTRIBUTES_CLASS = (
    NAME,
    Column(
        "DriverName",
        "string",
        lambda obj, _: obj.get("driverName", ""),
        description="The driver that knows it.",
    ),
    AGE,
)
