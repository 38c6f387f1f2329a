"""The table of CustomResourceDefinitions."""

from __future__ import annotations

from app.schemas.columns.column import NAME
from app.schemas.kind import Column

DEFINITION = (
    NAME,
    Column(
        "Created At",
        "date",
        lambda obj, _: obj["metadata"].get("creationTimestamp", ""),
        description="When it was made.",
    ),
)
