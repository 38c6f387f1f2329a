"""The tables of what nodes and pods use, as metrics-server prints them
(sigs.k8s.io/metrics-server, pkg/api/table.go)."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.quantity import canonical, nanos, of_bytes, of_nanos, value
from app.schemas.columns.column import NAME
from app.schemas.kind import Column


def _quantity(usage: Object, resource: str) -> str:
    return canonical(usage.get(resource) or "0")


def _sum(pod: Object, resource: str) -> str:
    """What all containers together use."""
    parts = [(c.get("usage") or {}).get(resource) or "0" for c in pod.get("containers") or ()]
    return of_nanos(sum(map(nanos, parts))) if resource == "cpu" else of_bytes(sum(map(value, parts)))


_WINDOW = Column(
    "Window", "string", lambda obj, _: obj.get("window") or "", description="Span that was measured."
)
NODE = (
    NAME,
    Column("cpu", "string", lambda obj, _: _quantity(obj.get("usage") or {}, "cpu"), format="quantity"),
    Column("memory", "string", lambda obj, _: _quantity(obj.get("usage") or {}, "memory"), format="quantity"),
    _WINDOW,
)
POD = (
    NAME,
    Column("cpu", "string", lambda obj, _: _sum(obj, "cpu"), format="quantity"),
    Column("memory", "string", lambda obj, _: _sum(obj, "memory"), format="quantity"),
    _WINDOW,
)
