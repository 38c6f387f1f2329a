"""The table that `kubectl get` prints, made by the server (meta.k8s.io/v1 Table)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.objects.change import Object
from app.schemas.columns.column import DEFAULT
from app.schemas.kind import Column, Kind

INCLUDE = ("Metadata", "Object", "None")


def render(
    kind: Kind,
    objects: Iterable[Object],
    now: float,
    include: str = "Metadata",
    *,
    header: bool = True,
    metadata: Object | None = None,
) -> Object:
    """A Table of `objects`, all of `kind`, with ages as of `now` (seconds since the epoch).

    Args:
        include: what each row carries: `Metadata`, the whole `Object`, or `None`.
        header: whether columns are defined; in a watch only the first event does.
        metadata: of the list, such as its resourceVersion and continue token.
    """
    columns = kind.columns or DEFAULT
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata or {},
        "columnDefinitions": definitions(kind) if header else None,
        "rows": [_row(columns, obj, now, include) for obj in objects],
    }


def definitions(kind: Kind) -> list[dict[str, Any]]:
    """The columns of the kind's table."""
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description,
            "priority": column.priority,
        }
        for column in kind.columns or DEFAULT
    ]


def _row(columns: Iterable[Column], obj: Object, now: float, include: str) -> Object:
    row: Object = {"cells": [column.value(obj, now) for column in columns]}
    if include == "Object":
        row["object"] = obj
    elif include != "None":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": obj["metadata"],
        }
    return row
