"""Fields that a JSON document names twice: the parser keeps the last, and whoever wrote it meant one of them.

Kubernetes tells of them as `fieldValidation` asks (sigs.k8s.io/json).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

# So many are told of.
MOST = 100


def duplicates(data: bytes) -> list[str]:
    """The paths of fields that are there more than once, such as `spec.containers[0].name`. `data` is known to be
    well-formed JSON that is not nested too deeply."""
    try:
        json.loads(data, object_pairs_hook=_once)
    except _Twice:
        found = _doubled(json.loads(data, object_pairs_hook=_Pairs), "")
        return [path for path, _ in zip(found, range(MOST), strict=False)]
    return []


class _Twice(Exception):
    """A field is there more than once."""


class _Pairs(list[Any]):
    """An object, as the list of its fields."""


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _Twice


def _doubled(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, inner in value:
            here = f"{path}.{name}" if path else name
            if name in seen:
                yield here
            seen.add(name)
            yield from _doubled(inner, here)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _doubled(inner, f"{path}[{i}]")
