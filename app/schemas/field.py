"""What every field of a schema knows of itself.

A field knows everything there is to know of one field of a Kubernetes object: its type, whether it is
required, its default, which values it takes, how lists merge, what it is for. Decoding, defaulting,
validation, strategic merge and OpenAPI all read it from here.

For speed each field makes its decoder once, as a plain function; `load` of marshmallow goes through the
same function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import marshmallow

from app.schemas.mismatch import Mismatch

if TYPE_CHECKING:
    from app.schemas.fields import Type

# A decoder takes the JSON value and a list, to which it adds the key of each unknown field it drops.
Decoder = Callable[[Any, list[str]], Any]
# A check says what is wrong with a value, in the words that follow `Invalid value: "x": `.
Check = Callable[[Any], Sequence[str]]
ABSENT: Any = object()


class Field(marshmallow.fields.Field):
    """What all fields have in common.

    Args:
        about: one sentence for `kubectl explain`.
        required: validation refuses an object without it. needed: so does a rule of its type, in other words.
        keep_zero: an empty value ("" or 0, false, [], {}) means something else than none, so it is kept. Of
            other fields an empty value is dropped, as Go's `omitempty` does.
        default: the value the field gets where it is absent.
        choices: the only values it takes. check: what else a value must fulfil.
        immutable: it can't be changed by an update.
        merge_key, merge_strategy: how strategic merge patch treats it. list_type, map_keys: how
            server-side apply does (`x-kubernetes-list-type`, `-list-map-keys`).
        go: Go type of the field, for messages.
    """

    go = "string"

    def __init__(
        self,
        about: str = "",
        *,
        required: bool = False,
        needed: bool = False,
        keep_zero: bool = False,
        default: Any = ABSENT,
        choices: Sequence[str] = (),
        check: Check | None = None,
        immutable: bool = False,
        merge_key: str = "",
        merge_strategy: str = "",
        list_type: str = "",
        map_keys: Sequence[str] = (),
        go: str = "",
    ) -> None:
        super().__init__(required=required, allow_none=True)
        self.about = about
        self.needed = needed or required
        self.keep_zero = keep_zero
        self.default = default
        self.choices = tuple(choices)
        self.check = check
        self.immutable = immutable
        self.merge_key = merge_key
        self.merge_strategy = merge_strategy or ("merge" if merge_key else "")
        self.map_keys = tuple(map_keys) or ((merge_key,) if merge_key else ())
        self.list_type = list_type or ("map" if self.map_keys else "")
        self.go = go or self.go

    def decoder(self) -> Decoder:
        """The function that decodes a value of this field. It raises Mismatch."""
        raise NotImplementedError

    def children(self) -> Field | type[Type] | None:
        """What is inside: the field of a list's or map's items, a struct's schema, or nothing."""
        return None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return self.decoder()(value, [])
        except Mismatch as exc:
            raise marshmallow.ValidationError(exc.message()) from exc
