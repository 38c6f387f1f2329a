"""Field sets and their algebra. A set is the JSON that `fieldsV1` holds: a tree of path elements (`elements`),
in which a node is in the set if it is empty or holds ".":

    {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}, "f:spec": {"f:replicas": {}}}

has .metadata.labels, .metadata.labels.app and .spec.replicas, but not .spec. An empty tree at the root is
the empty set. Trees are never changed once made, so results share what stays as it was; and a function that has
nothing to do gives back the very set it was given.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Tree = dict[str, Any]
Path = tuple[str, ...]

EMPTY: Tree = {}
SELF = "."


def member(node: Tree) -> bool:
    """Whether a node (not the root) is itself in its set."""
    return not node or SELF in node


def as_member(node: Tree) -> Tree:
    """The node, itself in the set."""
    return node if not node or SELF in node else {SELF: EMPTY, **node}


def union(one: Tree, other: Tree) -> Tree:
    """What is in either."""
    if not other or one is other:
        return one
    if not one:
        return other
    return _united(one, other)


def _united(one: Tree, other: Tree) -> Tree:
    result = None
    for element, right in other.items():
        left = one.get(element)
        if left is None:
            node = right
        elif left is right or (not left and not right):
            continue
        elif not left or not right:
            node = as_member(left or right)
        else:
            node = _united(left, right)
        if node is not left:
            if result is None:
                result = dict(one)
            result[element] = node
    return one if result is None else result


def difference(one: Tree, other: Tree) -> Tree:
    """What is in `one` and not in `other`, path by path: what lies below a path in `other` stays."""
    if not one or not other:
        return one
    left = _without(one, other)
    return EMPTY if left is None else left


def _without(one: Tree, other: Tree) -> Tree | None:
    """The node `one` without what is in `other`, None if nothing is left; both have children, or are the root."""
    result = None
    for element, right in other.items():
        left = one.get(element)
        if left is None:
            continue
        if not left:
            node = None if member(right) else left
        elif not right:
            node = {k: v for k, v in left.items() if k != SELF} if SELF in left else left
        else:
            node = _without(left, right)
        if node is not left:
            if result is None:
                result = dict(one)
            if node is None:
                del result[element]
            else:
                result[element] = node
    if result is None:
        return one
    return _tidy(result)


def _tidy(node: Tree) -> Tree | None:
    """A node that lost children: None without any, and a mere member if only that is left."""
    if not node:
        return None
    return EMPTY if len(node) == 1 and SELF in node else node


def intersection(one: Tree, other: Tree) -> Tree:
    """What is in both."""
    if one is other:
        return one
    return _common(one, other) or EMPTY


def _common(one: Tree, other: Tree) -> Tree | None:
    if len(other) < len(one):
        one, other = other, one
    result: Tree = {}
    for element, left in one.items():
        right = other.get(element)
        if right is None:
            continue
        if not left or not right:
            node = EMPTY if member(left) and member(right) else None
        else:
            node = _common(left, right)
        if node is not None:
            result[element] = node
    return _tidy(result)


def leaves(tree: Tree) -> Tree:
    """Only the members below which there are none."""
    result = {}
    for element, node in tree.items():
        if element == SELF:
            continue
        if not node:
            result[element] = node
        else:
            below = leaves(node)
            if below:
                result[element] = below
    return result


def has(tree: Tree, path: Path) -> bool:
    """Whether a path is in the set."""
    node = tree
    for element in path:
        below = node.get(element)
        if below is None:
            return False
        node = below
    return bool(path) and member(node)


def paths(tree: Tree, above: Path = ()) -> Iterator[Path]:
    """Every path in the set, those of one node in the order of their elements, parents first."""
    named = sorted(element for element in tree if element != SELF)
    for element in named:
        if member(tree[element]):
            yield (*above, element)
    for element in named:
        if tree[element]:
            yield from paths(tree[element], (*above, element))
