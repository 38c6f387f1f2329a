"""Walking a schema: which schema is behind a field, and which values a schema calls null without meaning it."""

from __future__ import annotations

from typing import Any

from app.objects.change import Object

ROOT_FIELDS = ("apiVersion", "kind", "metadata")


def properties_of(schema: Object) -> dict[str, Object]:
    """The fields that a schema names."""
    return schema.get("properties") or {}


def additional_of(schema: Object) -> Object | None:
    """The schema of fields that it doesn't name, if it has one."""
    found = schema.get("additionalProperties")
    return found if isinstance(found, dict) else None


def items_of(schema: Object) -> Object | None:
    """The schema of a list's items, if it has one."""
    found = schema.get("items")
    return found if isinstance(found, dict) else None


def stray_null(value: Any, schema: Object) -> bool:
    """Whether a value is null where the schema doesn't allow it: it counts as absent."""
    return value is None and not schema.get("nullable")
