"""`status.conditions`: reading and setting them.

API conventions: lastTransitionTime moves only when `status` changes, not with reason or message.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from app.base.clock import rfc3339
from app.objects.change import Object

Truth = Literal["True", "False", "Unknown"]


def get(obj: Object, type_: str) -> Object | None:
    """The condition of that type, or None."""
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition.get("type") == type_:
            return condition  # type: ignore[no-any-return]
    return None


def is_true(obj: Object, type_: str) -> bool:
    """Whether the condition is there with status `True`."""
    condition = get(obj, type_)
    return condition is not None and condition.get("status") == "True"


def merged(
    conditions: Iterable[Object],
    type_: str,
    status: Truth,
    now: float,
    *,
    reason: str = "",
    message: str = "",
    **more: object,
) -> list[Object]:
    """`conditions` with one set. The others keep their places. Its lastTransitionTime is `now` (seconds
    since the epoch) if its status changes or it is new. `more` are further fields, such as
    lastUpdateTime or lastProbeTime, taken as they are."""
    result = list(conditions)
    position = next((i for i, c in enumerate(result) if c.get("type") == type_), len(result))
    old = result[position] if position < len(result) else {}
    new: Object = {"type": type_, "status": status}
    if reason:
        new["reason"] = reason
    if message:
        new["message"] = message
    since = old.get("lastTransitionTime") if old.get("status") == status else None
    new["lastTransitionTime"] = since or rfc3339(now)
    new.update((key, value) for key, value in more.items() if value is not None)
    result[position : position + 1] = [new]
    return result


def with_condition(
    obj: Object,
    type_: str,
    status: Truth,
    now: float,
    *,
    reason: str = "",
    message: str = "",
    **more: object,
) -> Object:
    """A copy of `obj` with the condition set, see `merged`; `obj` itself if that changes nothing."""
    status_of = obj.get("status") or {}
    before = status_of.get("conditions") or []
    after = merged(before, type_, status, now, reason=reason, message=message, **more)
    if after == before:
        return obj
    return {**obj, "status": {**status_of, "conditions": after}}


def without(obj: Object, type_: str) -> Object:
    """A copy of `obj` without the condition; `obj` itself if it has none."""
    if get(obj, type_) is None:
        return obj
    status = obj["status"]
    kept = [c for c in status["conditions"] if c.get("type") != type_]
    return {**obj, "status": {**status, "conditions": kept}}
