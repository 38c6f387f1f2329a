"""What differs between two states of an object, as field sets.

After sigs.k8s.io/structured-merge-diff typed/compare.go: leaves that differ, and whatever came or went with all
that is in it. The order of a keyed list's items, or a set's, is no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.objects.managed.elements import element_of
from app.objects.managed.fields import whole
from app.objects.managed.sets import EMPTY, SELF, Tree
from app.objects.managed.shape import DEDUCED, Form, Shape, resolved


class Differences(NamedTuple):
    """`changed`: fields that are new or have another value. `removed`: fields that are no more."""

    changed: Tree
    removed: Tree


_Pair = tuple[Tree | None, Tree | None]
_SAME: _Pair = (None, None)
_LEAF: _Pair = (EMPTY, None)


def compare(old: Mapping[str, Any], new: Mapping[str, Any], shape: Shape) -> Differences:
    """What `new` has changed of `old`; both are objects of this shape."""
    changed, removed = _objects(old, new, shape)
    return Differences(changed or EMPTY, removed or EMPTY)


def _values(old: Any, new: Any, shape: Shape) -> _Pair:
    """What differs between two values at one path, which are not equal."""
    form = shape.form
    if form is Form.LEAF:
        return _LEAF
    if form is Form.DEDUCED:
        if type(old) is dict and type(new) is dict:
            return _objects(old, new, resolved(shape, new))
        # The path stays, whatever is at it; what is below it comes or goes.
        below = {element: node for element, node in whole(old, shape).items() if element != SELF}
        return whole(new, shape), below or None
    if form in (Form.STRUCT, Form.MAP):
        if type(new) is not dict or not isinstance(old, dict):
            return _LEAF
        return _objects(old, new, shape)
    if type(new) is not list or not isinstance(old, list | None):
        return _LEAF
    return _lists(old or [], new, shape)


def _objects(old: Mapping[str, Any], new: Mapping[str, Any], shape: Shape) -> _Pair:
    changed: Tree = {}
    removed: Tree = {}
    fields, inner = shape.fields, None
    for name, value in new.items():
        before = old.get(name)
        if before is value or value is None:
            continue
        if before is None and name not in old:
            changed[f"f:{name}"] = whole(value, fields.get(name) or shape.item)
            continue
        if before == value:
            continue
        inner = fields.get(name) or shape.item
        more, less = _values(before, value, inner)
        if more is not None:
            changed[f"f:{name}"] = more
        if less is not None:
            removed[f"f:{name}"] = less
    for name, before in old.items():
        if before is not None and new.get(name) is None and not _is_blank(before):
            removed[f"f:{name}"] = whole(before, fields.get(name) or shape.item)
    return changed or None, removed or None


def _is_blank(value: Any) -> bool:
    """Whether it is nothing but the structs that an empty object of its Go type has."""
    return isinstance(value, Blank)


class Blank(dict[str, Any]):
    """A struct that Go holds by value, of an object that is not there yet."""


def _lists(old: list[Any], new: list[Any], shape: Shape) -> _Pair:
    before, after = _indexed(old, shape), _indexed(new, shape)
    changed: Tree = {}
    removed: Tree = {}
    inner = shape.item if shape.form is Form.KEYED else DEDUCED
    for element, items in after.items():
        known = before.get(element)
        if known is None:
            changed[element] = whole(items[0], inner) if len(items) == 1 else EMPTY
        elif known != items:
            if len(items) > 1 or len(known) > 1:
                changed[element] = EMPTY
                continue
            more, less = _values(known[0], items[0], resolved(inner, items[0]))
            if more is not None:
                changed[element] = more
            if less is not None:
                removed[element] = less
    for element, items in before.items():
        if element not in after:
            removed[element] = whole(items[0], inner) if len(items) == 1 else EMPTY
    return changed or None, removed or None


def _indexed(items: list[Any], shape: Shape) -> dict[str, list[Any]]:
    """The items by their elements; more than one where a list that should not has duplicates."""
    found: dict[str, list[Any]] = {}
    for item in items:
        found.setdefault(element_of(item, shape), []).append(item)
    return found
