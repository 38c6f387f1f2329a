"""API group events.k8s.io."""

from __future__ import annotations

from app.schemas import conversion_event
from app.schemas.columns import cluster as columns_cluster
from app.schemas.kind import Conversion, Kind, one_by_one
from app.schemas.served import core
from app.schemas.types import events

_STORED = next(kind for kind in core.KINDS if kind.kind == "Event")

KINDS: tuple[Kind, ...] = (
    Kind(
        "events.k8s.io", "v1", "Event", "events", "event", True, events.Event,
        short_names=("ev",), columns=columns_cluster.NEW_EVENT,
        conversion=Conversion(
            _STORED, one_by_one(conversion_event.to_core), one_by_one(conversion_event.from_core)
        ),
    ),
)  # fmt: skip
