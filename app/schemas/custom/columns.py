"""The columns of a custom resource's table: its name, and what its definition says.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#additional-printer-columns
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from app.objects.change import Object
from app.schemas.columns.column import NAME
from app.schemas.custom.jsonpath import BadPath, Path
from app.schemas.duration import since
from app.schemas.kind import Column

# Without columns of its own, a kind shows how old its objects are.
_AGE = {
    "name": "Age",
    "type": "date",
    "jsonPath": ".metadata.creationTimestamp",
    "description": (
        "CreationTimestamp is a timestamp representing the server time when this object was created."
    ),
}


def columns_of(version: Object) -> tuple[Column, ...]:
    """The columns of one version of a kind. A column whose path can't be read is left out."""
    given = version.get("additionalPrinterColumns") or [_AGE]
    return (NAME, *(column for each in given if (column := _column(each))))


def _column(given: Object) -> Column | None:
    try:
        path = Path(given.get("jsonPath") or "")
    except BadPath:
        return None
    return Column(
        given.get("name", ""),
        given.get("type", "string"),
        _cell(path, given.get("type", "string")),
        given.get("priority") or 0,
        given.get("format", ""),
        given.get("description") or f"Custom resource definition column (in JSONPath format): {path.text}",
    )


def _cell(path: Path, kind: str) -> Callable[[Object, float], Any]:
    def value(obj: Object, now: float) -> Any:
        found = path.find(obj)
        if not found or (len(found) == 1 and found[0] is None):
            return None
        first = found[0]
        if kind == "string":
            return ",".join(_text(each) for each in found) if len(found) > 1 else _text(first)
        if kind == "date":
            return since(first, now) if isinstance(first, str) else "<invalid>"
        if kind == "integer":
            return int(first) if isinstance(first, int | float) and not isinstance(first, bool) else None
        if kind == "number":
            return first if isinstance(first, int | float) and not isinstance(first, bool) else None
        return first if isinstance(first, bool) else None

    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
