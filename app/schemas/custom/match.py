"""Which part of an object's former state a part of its present one corresponds to.

Fields correspond by name, items of a list that is a map by its keys; items of other lists to none
(k8s.io/apiserver/pkg/cel/common/equality.go).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# What stands for a former state that there is not.
ABSENT: Any = object()


def field_before(old: Any, name: str) -> Any:
    """What a field was."""
    return old.get(name, ABSENT) if type(old) is dict else ABSENT


def matching_items(
    list_type: str | None, keys: Sequence[str], items: list[Any], old: Any
) -> Callable[[int, Any], Any]:
    """The function that says what the item at an index was."""
    if list_type != "map" or type(old) is not list:
        return _nothing
    found: dict[tuple[str, ...], Any] = {}
    for item in old:
        if type(item) is dict:
            found[_key(item, keys)] = item
    return lambda i, item: found.get(_key(item, keys), ABSENT) if type(item) is dict else ABSENT


def _nothing(i: int, item: Any) -> Any:
    return ABSENT


def _key(item: dict[str, Any], keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{type(item.get(key)).__name__} {item.get(key)!r}" for key in keys)
