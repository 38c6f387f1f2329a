"""Strategic merge patch: a merge patch that knows which lists are keyed.

Rules: kubernetes/community contributors/devel/sig-api-machinery/strategic-merge-patch.md and
k8s.io/apimachinery/pkg/util/strategicpatch. Directives: `$patch` (delete, replace, merge), `$retainKeys`,
`$deleteFromPrimitiveList/<field>`, `$setElementOrder/<field>`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from app.base.errors import BadRequest
from app.objects.change import Object

PATCH = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList/"
ORDER = "$setElementOrder/"


class MergeInfo(Protocol):
    """How a field is merged. A list's children are the fields of its elements.

    Attributes:
        merge_key: the field that tells a list's elements apart; None for a list of plain values.
        strategy: any of `merge`, `replace`, `retainKeys`, joined by commas; empty for the default:
            objects are merged, lists replaced.
    """

    @property
    def merge_key(self) -> str | None: ...

    @property
    def strategy(self) -> str: ...

    def child(self, field: str) -> MergeInfo: ...


def apply(target: Object, patch: Any, info: MergeInfo) -> Object:
    """`target` with `patch` merged in; neither is changed, what stays the same is shared.

    Raises:
        BadRequest: the patch is no object, or a directive in it is malformed.
    """
    if not isinstance(patch, dict):
        raise BadRequest("error decoding patch: a strategic merge patch must be a JSON object")
    return _merge_object(target, patch, info)


def _merge_object(target: Object, patch: Object, info: MergeInfo) -> Object:
    directive = patch.get(PATCH)
    if PATCH in patch:
        if directive == "delete":
            return {}
        if directive == "replace":
            return _replacement(patch)
        if directive != "merge":
            raise BadRequest(f"unknown {PATCH} value: {directive!r} (delete, replace or merge)")
    result = _retained(target, patch)
    ordered: set[str] = set()
    for key, order in patch.items():
        if key.startswith(ORDER):
            field = key[len(ORDER) :]
            ordered.add(field)
            _merge_ordered(result, patch, field, order, info.child(field))
    for key, value in patch.items():
        if key in (PATCH, RETAIN_KEYS) or key in ordered or key.startswith(ORDER):
            continue
        if key.startswith(DELETE_FROM):
            field = key[len(DELETE_FROM) :]
            gone = _list_in(value, key)
            if isinstance(result.get(field), list):
                result[field] = [item for item in result[field] if item not in gone]
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = _merge_field(result[key], value, info.child(key))
        elif isinstance(value, list) and isinstance(result.get(key), list):
            result[key] = _merge_lists(result[key], value, info.child(key))
        else:
            result[key] = _plain(value)
    return result


def _merge_field(target: Object, patch: Object, info: MergeInfo) -> Object:
    if "replace" in info.strategy.split(","):
        return _replacement(patch)
    return _merge_object(target, patch, info)


def _retained(target: Object, patch: Object) -> Object:
    """A copy of `target` with only the fields that `$retainKeys` names, if it is given."""
    if RETAIN_KEYS not in patch:
        return dict(target)
    keep = _list_in(patch[RETAIN_KEYS], RETAIN_KEYS)
    for key, value in patch.items():
        if key not in keep and value is not None and not key.startswith("$"):
            raise BadRequest(f"invalid patch format of {RETAIN_KEYS}: it does not name {key}")
    return {key: value for key, value in target.items() if key in keep}


def _merge_lists(target: list[Any], patch: list[Any], info: MergeInfo) -> list[Any]:
    if "merge" not in info.strategy.split(","):
        return [_plain(item) for item in patch]
    if not _holds_objects(target, patch):
        merged = list(dict.fromkeys([*target, *patch]))
        return _in_order(merged, patch, target, None)
    key = info.merge_key
    if key is None:
        raise BadRequest("cannot merge lists without merge key")
    merged, updates = _with_directives(target, patch, key)
    for item in updates:
        wanted = _key_of(item, key)
        for position, present in enumerate(merged):
            if isinstance(present, dict) and present.get(key) == wanted:
                merged[position] = _merge_object(present, item, info)
                break
        else:
            merged.append(_plain(item))
    return _in_order(merged, updates, target, key)


def _with_directives(target: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Object]]:
    """The list after `$patch: delete` and `$patch: replace` elements, and the elements yet to merge."""
    result, updates, replace = list(target), [], False
    for item in patch:
        if not isinstance(item, dict):
            raise BadRequest("a list of objects can't be merged with plain values")
        directive = item.get(PATCH)
        if PATCH not in item or directive == "merge":
            updates.append(item)
        elif directive == "replace":
            replace = True
        elif directive == "delete":
            gone = _key_of(item, key)
            result = [i for i in result if not isinstance(i, dict) or i.get(key) != gone]
        else:
            raise BadRequest(f"unknown {PATCH} value: {directive!r} (delete, replace or merge)")
    if replace:
        return [_plain(item) for item in updates], []
    return result, updates


def _merge_ordered(result: Object, patch: Object, field: str, order: Any, info: MergeInfo) -> None:
    """Merge one list and bring it into the order that `$setElementOrder` asks for."""
    wanted = _list_in(order, ORDER + field)
    key = info.merge_key
    before, change = result.get(field), patch.get(field)
    before = before if isinstance(before, list) else None
    if field in patch and change is None:
        result.pop(field, None)
        return
    if change is not None and not isinstance(change, list):
        raise BadRequest(f"{field} must be a list, as {ORDER}{field} says")
    gone = _list_in(patch.get(DELETE_FROM + field, []), DELETE_FROM + field)
    if before is None and change is None:
        return
    if before is None:
        merged = [_plain(item) for item in change or () if not _is_directive(item)]
    else:
        merged = _merge_lists(before, change, info) if change is not None else list(before)
    if gone:
        merged = [item for item in merged if item not in gone]
    result[field] = _in_order(merged, wanted, before or [], key)


def _in_order(items: list[Any], wanted: list[Any], before: list[Any], key: str | None) -> list[Any]:
    """`items` with those that `wanted` names in its order, and the others, known to the server only,
    where they were relative to them."""
    identity: Callable[[Any], Any] = (
        (lambda item: item.get(key) if isinstance(item, dict) else item) if key else (lambda item: item)
    )
    place = {_hashable(identity(item)): i for i, item in reversed(list(enumerate(wanted)))}
    former = {_hashable(identity(item)): i for i, item in reversed(list(enumerate(before)))}
    end = len(before)
    named = [item for item in items if _hashable(identity(item)) in place]
    others = [item for item in items if _hashable(identity(item)) not in place]
    named.sort(key=lambda item: place[_hashable(identity(item))])
    others.sort(key=lambda item: former.get(_hashable(identity(item)), end))
    result: list[Any] = []
    while named and others:
        left = former.get(_hashable(identity(others[0])))
        right = former.get(_hashable(identity(named[0])))
        first = others if left is not None and right is not None and left < right else named
        result.append(first.pop(0))
    return result + named + others


def _replacement(patch: Object) -> Object:
    return {k: _plain(v) for k, v in patch.items() if v is not None and not _is_marker(k)}


def _plain(value: Any) -> Any:
    """A value that is new to the target: without directives and nulls."""
    if isinstance(value, list):
        return [_plain(item) for item in value if not _is_directive(item)]
    if not isinstance(value, dict):
        return value
    if value.get(PATCH) == "delete":
        return {}
    return _replacement(value)


def _is_marker(key: str) -> bool:
    return key in (PATCH, RETAIN_KEYS) or key.startswith((DELETE_FROM, ORDER))


def _is_directive(item: Any) -> bool:
    """Whether a list's element only carries a directive and adds nothing."""
    return isinstance(item, dict) and item.get(PATCH) in ("delete", "replace")


def _holds_objects(*lists: list[Any]) -> bool:
    kinds = {isinstance(item, dict) for items in lists for item in items}
    if len(kinds) > 1 or any(isinstance(item, list) for items in lists for item in items):
        raise BadRequest("the elements of a merged list must all be of one type, and not lists")
    return True in kinds


def _key_of(item: Object, key: str) -> Any:
    if key not in item:
        raise BadRequest(f"map: {item} does not contain declared merge key: {key}")
    return item[key]


def _list_in(value: Any, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadRequest(f"invalid patch format: {key} must be a list")
    return value


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | type(None)) else repr(value)
