"""JSON merge patch (RFC 7386): objects are merged, null removes, everything else replaces."""

from __future__ import annotations

from typing import Any

from app.base.errors import BadRequest
from app.objects.change import Object


def apply(target: Object, patch: Any) -> Object:
    """`target` with `patch` merged in. Neither is changed; what stays the same is shared.

    Raises:
        BadRequest: the patch is not an object, so it could not leave one.
    """
    if not isinstance(patch, dict):
        raise BadRequest("error decoding patch: a merge patch must be a JSON object")
    merged: Object = _merge(target, patch)
    return merged


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merge(result.get(key), value)
    return result


def between(source: Object, target: Object) -> Object:
    """A merge patch that makes `target` of `source`. A merge patch can't set null: a null in
    `target` that `source` doesn't have comes out as an absent key."""
    patch: Object = {key: None for key in source if key not in target}
    for key, value in target.items():
        if key not in source:
            patch[key] = value
        elif isinstance(value, dict) and isinstance(source[key], dict):
            inner = between(source[key], value)
            if inner:
                patch[key] = inner
        elif not _same(source[key], value):
            patch[key] = value
    return patch


def _same(a: Any, b: Any) -> bool:
    """Equality as JSON has it: true is not 1."""
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return bool(a == b)
