"""Taking fields out of an object: those that a manager applied before and does not apply any more.

After sigs.k8s.io/structured-merge-diff merge/update.go (prune) and typed/remove.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.objects.change import Object
from app.objects.managed.elements import element_of
from app.objects.managed.fields import set_of, with_structs
from app.objects.managed.sets import EMPTY, Tree, difference, intersection, member, union
from app.objects.managed.shape import Form, Shape, resolved
from app.objects.managed.states import Versions

Entry = Object


def prune(merged: Object, last: Entry, owned: Mapping[str, Tree], versions: Versions, version: str) -> Object:
    """`merged` without what only the applying manager owned, and owns no more.

    What nobody owns goes with the struct it is in, such as defaults; an item of a list or map goes with whatever
    others own in it, unless somebody owns the item. What was applied in a version that is not served any more, stays.

    Args:
        merged: in `version`. last: the manager's entry as it was. owned: what all managers own now, this one's new
            fields included, by version.
    """
    was: Tree = last["fieldsV1"]
    there = last["apiVersion"]
    found = versions(merged, there)
    if found is None or (owned.keys() == {there} and not difference(was, owned[there])):
        return merged
    obj, shape = found
    was = with_structs(was, shape)
    pruned = remove(obj, was, shape) or {}
    # In the version of the entry first: others may lack what only that one requires.
    for each in sorted(owned, key=lambda name: name != there):
        whole, rest = versions(merged, each), versions(pruned, each)
        if whole is None or rest is None:
            continue
        held = with_structs(owned[each], whole[1])
        gone = difference(_all(*whole), union(_all(*rest), held))
        pruned = remove(whole[0], gone, whole[1]) or {}
    left = versions(pruned, there)
    gone = intersection(difference(_all(obj, shape), _all(*left) if left else EMPTY), was)
    result = remove(obj, gone, shape) or {}
    back = versions(result, version)
    return back[0] if back else merged


def _all(obj: Object, shape: Shape) -> Tree:
    return with_structs(set_of(obj, shape), shape)


def remove(value: Any, gone: Tree, shape: Shape) -> Any:
    """`value` without the paths in `gone` and all that is below them. A map or list that loses everything is null."""
    shape = resolved(shape, value)
    form = shape.form
    if form is Form.LEAF or not value or not gone:
        return value
    if form in (Form.STRUCT, Form.MAP):
        return _from_object(value, gone, shape)
    items = []
    for item in value:
        node = gone.get(element_of(item, shape))
        if node is None:
            items.append(item)
        elif not member(node):
            items.append(remove(item, node, shape.item))
    return items or None


def _from_object(value: dict[str, Any], gone: Tree, shape: Shape) -> dict[str, Any] | None:
    result = {}
    for name, part in value.items():
        node = gone.get(f"f:{name}")
        if node is None:
            result[name] = part
            continue
        left = None if member(node) else remove(part, node, shape.of(name))
        if left is None and shape.blank.get(name) is not None:
            # A struct that Go holds by value is there even when it is empty.
            result[name] = {}
        elif not member(node):
            result[name] = left
    return result or None
