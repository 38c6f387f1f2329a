"""How the fields of a kind merge in a strategic merge patch: the `MergeInfo` of app.objects.strategic,
read from what the schemas declare."""

from __future__ import annotations

from functools import cache

from app.schemas.fields import Field, Type
from app.schemas.kind import Kind


class FieldMerge:
    """How one field merges.

    Attributes:
        merge_key: the field that tells a list's elements apart; None for other fields.
        strategy: `merge`, `replace`, `retainKeys`, joined by commas; empty for the default.
        list_type, map_keys: the same for server-side apply: `map` with its keys, `set`, or empty
            for a list that has one owner (`atomic`).
    """

    __slots__ = ("_inside", "list_type", "map_keys", "merge_key", "strategy")

    def __init__(self, field: Field | None, inside: Field | type[Type] | None) -> None:
        self.merge_key = (field.merge_key or None) if field else None
        self.strategy = field.merge_strategy if field else ""
        self.list_type = field.list_type if field else ""
        self.map_keys = field.map_keys if field else ()
        self._inside = inside

    def child(self, field: str) -> FieldMerge:
        """How a field inside merges; for a list, a field of its elements. Unknown fields get the default."""
        inside: Field | type[Type] | None = self._inside
        # A list's field is that of its elements; a map's is the value under a key.
        while isinstance(inside, Field):
            inside = inside.children()
        if inside is None:
            return _UNKNOWN
        return _child(inside, field)


_UNKNOWN = FieldMerge(None, None)


@cache
def _child(schema: type[Type], name: str) -> FieldMerge:
    field = schema.fields_of().get(name)
    return FieldMerge(field, field.children()) if field else _UNKNOWN


@cache
def _root(schema: type[Type]) -> FieldMerge:
    return FieldMerge(None, schema)


def merge_key(kind: Kind) -> FieldMerge:
    """How objects of the kind merge, from the top."""
    return _root(kind.schema)
