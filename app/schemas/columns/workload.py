"""The tables of deployments and replica sets."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME, selector
from app.schemas.kind import Column


def _containers(obj: Object) -> list[Object]:
    return obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers") or []


def status(obj: Object, field: str) -> int:
    """A count in the status; 0 where absent."""
    return (obj.get("status") or {}).get(field) or 0


def desired(obj: Object) -> int:
    """How many pods are wanted."""
    wanted = obj.get("spec", {}).get("replicas")
    return 1 if wanted is None else wanted


CONTAINERS = Column(
    "Containers",
    "string",
    lambda obj, _: ",".join(c.get("name", "") for c in _containers(obj)),
    1,
    description="Containers of the template.",
)
IMAGES = Column(
    "Images",
    "string",
    lambda obj, _: ",".join(c.get("image", "") for c in _containers(obj)),
    1,
    description="Images of the template.",
)
SELECTOR = Column(
    "Selector",
    "string",
    lambda obj, _: selector(obj.get("spec", {}).get("selector")),
    1,
    description="Which pods belong to it.",
)
READY = Column(
    "Ready",
    "string",
    lambda obj, _: f"{status(obj, 'readyReplicas')}/{desired(obj)}",
    description="Pods that are ready, of those wanted.",
)
_TEMPLATE = (CONTAINERS, IMAGES, SELECTOR)

DEPLOYMENT = (
    NAME,
    READY,
    Column(
        "Up-to-date",
        "string",
        lambda obj, _: str(status(obj, "updatedReplicas")),
        description="Pods of the newest template.",
    ),
    Column(
        "Available",
        "string",
        lambda obj, _: str(status(obj, "availableReplicas")),
        description="Pods that have been ready for long enough.",
    ),
    AGE,
    *_TEMPLATE,
)

REPLICA_SET = (
    NAME,
    Column("Desired", "integer", lambda obj, _: desired(obj), description="Pods wanted."),
    Column("Current", "integer", lambda obj, _: status(obj, "replicas"), description="Pods there are."),
    Column(
        "Ready", "integer", lambda obj, _: status(obj, "readyReplicas"), description="Pods that are ready."
    ),
    AGE,
    *_TEMPLATE,
)
