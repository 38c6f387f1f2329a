"""Path elements as FieldsV1 writes them: `f:<name>` a field, `k:{"name":"web"}` the item of a keyed list, `v:"x"` the
item of a set, `i:3` an index (sigs.k8s.io/structured-merge-diff fieldpath/serialize-pe.go).

Keys and values are JSON with sorted keys and without spaces: one element has one spelling.
"""

from __future__ import annotations

from typing import Any

import orjson

from app.objects.managed.sets import EMPTY, SELF, Path, Tree
from app.objects.managed.shape import Form, Shape


class MissingKey(ValueError):
    """An item of a keyed list lacks a key that has no default; the message says which."""


def field(name: str) -> str:
    return f"f:{name}"


def value_element(value: Any) -> str:
    """The element of a set's item."""
    return "v:" + orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def key_element(item: Any, shape: Shape, *, strict: bool = False) -> str:
    """The element of a keyed list's item: by its keys, or their defaults.

    Raises:
        MissingKey: one is missing, and `strict`; otherwise what is there counts.
    """
    found = {}
    given = item if isinstance(item, dict) else {}
    for key in shape.keys:
        value = given.get(key)
        if value is None:
            value = shape.defaults.get(key)
            if value is None:
                if strict:
                    raise MissingKey(
                        f'associative list with keys has an element that omits key field "{key}" '
                        "(and doesn't have default value)"
                    )
                continue
        found[key] = value
    # The keys of a shape are sorted.
    return "k:" + orjson.dumps(found).decode()


def element_of(item: Any, shape: Shape) -> str:
    """The element of an item of a SET or KEYED list."""
    return key_element(item, shape) if shape.form is Form.KEYED else value_element(item)


def decode(raw: Any) -> Tree:
    """A field set as a client wrote it, in our spelling.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(raw, dict):
        raise ValueError("a set of fields must be an object")
    result: Tree = {}
    for element, below in raw.items():
        if element == SELF:
            result[SELF] = EMPTY
            continue
        node = decode(below)
        result[_canonical(element)] = EMPTY if len(node) == 1 and SELF in node else node
    return result


def decode_root(raw: Any) -> Tree:
    """`decode` of a whole set: the root itself is never in it."""
    tree = decode(raw)
    return {element: node for element, node in tree.items() if element != SELF} if SELF in tree else tree


def _canonical(element: str) -> str:
    kind, content = element[:2], element[2:]
    if kind == "f:":
        return element
    if kind in ("v:", "k:"):
        value = orjson.loads(content)
        if kind == "k:" and not isinstance(value, dict):
            raise ValueError(f"not a key: {content}")
        return kind + orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    if kind == "i:":
        return f"i:{int(content)}"
    raise ValueError(f"unknown path element: {element}")


def shown(path: Path) -> str:
    """A path as messages show it: `.spec.template.spec.containers[name="web"].image`."""
    return "".join(_shown(element) for element in path)


def _shown(element: str) -> str:
    kind, content = element[:2], element[2:]
    if kind == "k:":
        fields = orjson.loads(content)
        return "[" + ",".join(f"{key}={orjson.dumps(value).decode()}" for key, value in fields.items()) + "]"
    if kind == "v:":
        return f"[={content}]"
    if kind == "i:":
        return f"[{content}]"
    return f".{content}"
