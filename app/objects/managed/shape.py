"""What is at a path, as far as ownership goes: something that has one owner, or something whose parts may
have several. Schemas of any sort provide it: those of the built-in kinds (app.schemas.shapes) and those of
custom resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any


class Form(Enum):
    """The forms of `x-kubernetes-list-type`, `-map-type` and plain types.

    LEAF: a scalar, or a list or object that is atomic. STRUCT: an object with declared fields. MAP: an object with
    any keys. SET: a list of scalars, each with owners of its own. KEYED: a list of objects told apart by
    keys. DEDUCED: what no schema describes; objects are maps of such, everything else is a leaf.
    """

    LEAF = "leaf"
    STRUCT = "struct"
    MAP = "map"
    SET = "set"
    KEYED = "keyed"
    DEDUCED = "deduced"


_NONE: Mapping[str, Any] = {}


class Shape:
    """What is at a path.

    Args:
        fields: of a STRUCT, the shapes of its declared fields.
        item: the shape of what a MAP or KEYED list holds; of a STRUCT, of fields that are not declared.
        keys: of a KEYED list, the fields that tell its items apart. defaults: the values of those that may
            be left out. `fields`, `item` and `blank` are asked once, when first needed, so that shapes may contain
            themselves.
        blank: of a STRUCT, what its Go type says of an empty object: fields held by value, and lists without
            `omitempty`, are there. Ownership of these begins below them.
    """

    __slots__ = (
        "_blank", "_fields", "_item", "_made_blank", "_made_fields", "_made_item", "defaults", "form", "keys"
    )  # fmt: skip

    def __init__(
        self,
        form: Form,
        *,
        fields: Callable[[], Mapping[str, Shape]] | None = None,
        item: Callable[[], Shape] | None = None,
        keys: tuple[str, ...] = (),
        defaults: Mapping[str, Any] = _NONE,
        blank: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self.form = form
        self.keys = tuple(sorted(keys))
        self.defaults = defaults
        self._fields = fields
        self._item = item
        self._blank = blank
        self._made_fields: Mapping[str, Shape] | None = None
        self._made_item: Shape | None = None
        self._made_blank: Mapping[str, Any] | None = None

    @property
    def fields(self) -> Mapping[str, Shape]:
        made = self._made_fields
        if made is None:
            made = self._made_fields = self._fields() if self._fields else {}
        return made

    @property
    def item(self) -> Shape:
        made = self._made_item
        if made is None:
            made = self._made_item = self._item() if self._item else DEDUCED
        return made

    @property
    def open(self) -> bool:
        """Whether a STRUCT takes fields that are not declared."""
        return self._item is not None

    @property
    def blank(self) -> Mapping[str, Any]:
        made = self._made_blank
        if made is None:
            made = self._made_blank = self._blank() if self._blank else {}
        return made

    def of(self, name: str) -> Shape:
        """The shape of an object's field."""
        return self.fields.get(name) or self.item


LEAF = Shape(Form.LEAF)
DEDUCED = Shape(Form.DEDUCED)
# What is under a DEDUCED object.
_DEDUCED_MAP = Shape(Form.MAP, item=lambda: DEDUCED)


def resolved(shape: Shape, value: Any) -> Shape:
    """The shape for a value: what is deduced is settled, and what has another JSON type than it should is a leaf."""
    form = shape.form
    if form is Form.LEAF:
        return shape
    if type(value) is dict:
        if form is Form.DEDUCED:
            return _DEDUCED_MAP
        return shape if form in (Form.STRUCT, Form.MAP) else LEAF
    if type(value) is list:
        return shape if form in (Form.SET, Form.KEYED) else LEAF
    return LEAF
