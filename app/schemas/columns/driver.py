"""The tables of CSI drivers and what they attach."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME, UNSET
from app.schemas.kind import Column


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}


def _audiences(driver: Object) -> str:
    requests = _spec(driver).get("tokenRequests")
    return ",".join(request.get("audience", "") for request in requests) if requests else UNSET


def _modes(driver: Object) -> str:
    return ",".join(_spec(driver).get("volumeLifecycleModes") or ()) or "<none>"


def _volume(attachment: Object) -> str:
    return (_spec(attachment).get("source") or {}).get("persistentVolumeName") or ""


def _flag(name: str, field: str, about: str, *, otherwise: bool = False) -> Column:
    def value(obj: Object, _: float) -> bool:
        given = _spec(obj).get(field)
        return otherwise if given is None else bool(given)

    return Column(name, "boolean", value, description=about)


CSI_DRIVER = (
    NAME,
    _flag("AttachRequired", "attachRequired", "Whether its volumes are attached first.", otherwise=True),
    _flag("PodInfoOnMount", "podInfoOnMount", "Whether it wants to know the pod."),
    _flag("StorageCapacity", "storageCapacity", "Whether it tells how much there is."),
    Column("TokenRequests", "string", lambda obj, _: _audiences(obj), description="Tokens it wants."),
    _flag("RequiresRepublish", "requiresRepublish", "Whether it is asked again and again."),
    Column("Modes", "string", lambda obj, _: _modes(obj), description="Persistent, Ephemeral or both."),
    AGE,
)

CSI_NODE = (
    NAME,
    Column(
        "Drivers",
        "integer",
        lambda obj, _: len(_spec(obj).get("drivers") or ()),
        description="How many drivers the node has.",
    ),
    AGE,
)

CSI_STORAGE_CAPACITY = (
    NAME,
    Column(
        "StorageClassName",
        "string",
        lambda obj, _: obj.get("storageClassName", ""),
        description="The class it is of.",
    ),
    Column(
        "Capacity", "string", lambda obj, _: obj.get("capacity") or UNSET, description="How much there is."
    ),
)

VOLUME_ATTACHMENT = (
    NAME,
    Column(
        "Attacher",
        "string",
        lambda obj, _: _spec(obj).get("attacher", ""),
        format="name",
        description="Who attaches it.",
    ),
    Column("PV", "string", lambda obj, _: _volume(obj), description="The volume."),
    Column("Node", "string", lambda obj, _: _spec(obj).get("nodeName", ""), description="The node."),
    Column(
        "Attached",
        "boolean",
        lambda obj, _: bool((obj.get("status") or {}).get("attached")),
        description="Whether it is attached.",
    ),
    AGE,
)
