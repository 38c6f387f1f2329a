"""Which fields a value has: the field set of a configuration, and sets filled up with the structs around them.

After sigs.k8s.io/structured-merge-diff typed/tofieldset.go and fieldpath/set.go.
"""

from __future__ import annotations

from typing import Any

from app.objects.managed.elements import element_of
from app.objects.managed.sets import EMPTY, SELF, Tree, as_member
from app.objects.managed.shape import Form, Shape, resolved


def set_of(value: Any, shape: Shape) -> Tree:
    """The fields that `value` speaks of, from the root: its leaves, the items of its lists and maps, and what is
    null or empty. Declared fields that hold others are spoken of by these."""
    if not isinstance(value, dict) or resolved(shape, value).form is Form.LEAF:
        return EMPTY
    return _parts(value, resolved(shape, value))


def _parts(value: Any, shape: Shape) -> Tree:
    """The children of a node for something that is not a leaf."""
    result: Tree = {}
    form = shape.form
    if form in (Form.STRUCT, Form.MAP):
        declared = shape.fields
        for name, part in value.items():
            known = declared.get(name)
            inner = resolved(known or shape.item, part)
            if inner.form is Form.LEAF or not part:
                if inner.form is not Form.LEAF and part == [] and known is not None:
                    # An empty list says nothing of items.
                    continue
                result[f"f:{name}"] = EMPTY
                continue
            node = _parts(part, inner)
            if known is None:
                node = as_member(node)
            elif not node:
                continue
            result[f"f:{name}"] = node
        return result
    item_shape = shape.item
    for item in value:
        element = element_of(item, shape)
        if element in result:
            # Two items of one key have one owner.
            result[element] = EMPTY
        elif form is Form.SET or resolved(item_shape, item).form is Form.LEAF:
            result[element] = EMPTY
        else:
            result[element] = as_member(_parts(item, resolved(item_shape, item)))
    return result


def whole(value: Any, shape: Shape) -> Tree:
    """The node of something that came or went as a whole: it and everything in it."""
    shape = resolved(shape, value)
    form = shape.form
    if form is Form.LEAF or not value:
        return EMPTY
    result: Tree = {SELF: EMPTY}
    if form in (Form.STRUCT, Form.MAP):
        for name, part in value.items():
            if part is not None:
                result[f"f:{name}"] = whole(part, shape.of(name))
    elif form is Form.SET:
        for item in value:
            result[element_of(item, shape)] = EMPTY
    else:
        inner = shape.item
        for item in value:
            element = element_of(item, shape)
            result[element] = EMPTY if element in result else whole(item, inner)
    return result if len(result) > 1 else EMPTY


def with_structs(tree: Tree, shape: Shape) -> Tree:
    """The set with the declared fields around its members: who owns .spec.strategy.type then owns .spec.strategy and
    .spec too. Items of lists and maps are owned by themselves only."""
    result = None
    form = shape.form
    if form is Form.LEAF:
        return tree
    declared = shape.fields if form is Form.STRUCT else {}
    inner = shape.item
    for element, node in tree.items():
        if not node:
            continue
        known = declared.get(element[2:]) if element.startswith("f:") else None
        new = with_structs(node, known or inner)
        if known is not None:
            new = as_member(new)
        if new is not node:
            if result is None:
                result = dict(tree)
            result[element] = new
    return tree if result is None else result
