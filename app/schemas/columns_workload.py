"""The tables of deployments and replica sets."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.column import AGE, NAME, selector
from app.schemas.kind import Column


def _containers(obj: Object) -> list[Object]:
    return obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers") or []


def _status(obj: Object, field: str) -> int:
    return (obj.get("status") or {}).get(field) or 0


def _desired(obj: Object) -> int:
    wanted = obj.get("spec", {}).get("replicas")
    return 1 if wanted is None else wanted


_TEMPLATE = (
    Column(
        "Containers",
        "string",
        lambda obj, _: ",".join(c.get("name", "") for c in _containers(obj)),
        1,
        description="Containers of the template.",
    ),
    Column(
        "Images",
        "string",
        lambda obj, _: ",".join(c.get("image", "") for c in _containers(obj)),
        1,
        description="Images of the template.",
    ),
    Column(
        "Selector",
        "string",
        lambda obj, _: selector(obj.get("spec", {}).get("selector")),
        1,
        description="Which pods belong to it.",
    ),
)

DEPLOYMENT = (
    NAME,
    Column(
        "Ready",
        "string",
        lambda obj, _: f"{_status(obj, 'readyReplicas')}/{_desired(obj)}",
        description="Pods that are ready, of those wanted.",
    ),
    Column(
        "Up-to-date",
        "string",
        lambda obj, _: str(_status(obj, "updatedReplicas")),
        description="Pods of the newest template.",
    ),
    Column(
        "Available",
        "string",
        lambda obj, _: str(_status(obj, "availableReplicas")),
        description="Pods that have been ready for long enough.",
    ),
    AGE,
    *_TEMPLATE,
)

REPLICA_SET = (
    NAME,
    Column("Desired", "integer", lambda obj, _: _desired(obj), description="Pods wanted."),
    Column("Current", "integer", lambda obj, _: _status(obj, "replicas"), description="Pods there are."),
    Column(
        "Ready", "integer", lambda obj, _: _status(obj, "readyReplicas"), description="Pods that are ready."
    ),
    AGE,
    *_TEMPLATE,
)
