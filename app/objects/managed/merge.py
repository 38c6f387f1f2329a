"""Merging an applied configuration into the object as it is: what it says holds, all else stays.

After sigs.k8s.io/structured-merge-diff typed/merge.go. Nothing is removed by it (`prune` does that); neither
argument is changed, what stays the same is shared.
"""

from __future__ import annotations

from typing import Any

from app.objects.managed.elements import element_of
from app.objects.managed.shape import Form, Shape, resolved


def merge(live: Any, config: Any, shape: Shape) -> Any:
    """`live` with `config` laid over it."""
    form = resolved(shape, config).form
    if config is None:
        return live if isinstance(live, dict | list) and resolved(shape, live).form is not Form.LEAF else None
    if form is Form.LEAF or type(live) is not type(config):
        return config
    shape = resolved(shape, config)
    if form in (Form.STRUCT, Form.MAP):
        return _objects(live, config, shape)
    return _lists(live, config, shape)


def _objects(live: dict[str, Any], config: dict[str, Any], shape: Shape) -> dict[str, Any]:
    result = dict(live)
    for name, value in config.items():
        result[name] = merge(live[name], value, shape.of(name)) if name in live else value
    return result


def _lists(live: list[Any], config: list[Any], shape: Shape) -> list[Any]:
    """The items of both: those of the configuration in its order, and each one that it does not name
    before the item that it stood before."""
    inner = shape.item
    named = {element_of(item, shape): item for item in config}
    order = list(named)
    first: dict[str, Any] = {}
    waiting: list[tuple[str, Any]] = []
    for item in live:
        element = element_of(item, shape)
        if element in named:
            first.setdefault(element, item)
        waiting.append((element, item))
    shared = [element for element in order if element in first]
    result: list[Any] = []
    at = 0
    for element in order:
        wanted = shared[0] if shared else None
        # Items known to the server only keep their place before the next one that both have.
        while at < len(waiting):
            present = waiting[at][0]
            if present not in named:
                result.append(waiting[at][1])
            elif present == wanted:
                break
            at += 1
        if element in first and shape.form is Form.KEYED:
            result.append(merge(first[element], named[element], inner))
        else:
            result.append(named[element])
        if element == wanted:
            shared.pop(0)
            if at < len(waiting) and waiting[at][0] == element:
                at += 1
    result += [item for element, item in waiting[at:] if element not in named]
    return result
