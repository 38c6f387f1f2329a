"""What a LimitRange's item forbids, in Kubernetes's words (plugin/pkg/admission/limitranger)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from app.objects import quantity
from app.objects.change import Object
from app.objects.pod_resources import totals

Check = Callable[[str, str, Any, Object, Object], str]


def broken(resource: str, obj: Object, item: Object) -> list[str]:
    """Why the object breaks the item, if it does."""
    kind = item.get("type") or ""
    spec = obj.get("spec") or {}
    if resource == "persistentvolumeclaims":
        if kind != "PersistentVolumeClaim":
            return []
        requests = (spec.get("resources") or {}).get("requests") or {}
        return _checked(kind, requests, {}, ((item.get("min"), _least), (item.get("max"), _most_requested)))
    if resource != "pods":
        return []
    checks = (
        (item.get("min"), _least),
        (item.get("max"), _most),
        (item.get("maxLimitRequestRatio"), _ratio),
    )
    if kind == "Container":
        found = []
        for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
            resources = container.get("resources") or {}
            found += _checked(kind, resources.get("requests") or {}, resources.get("limits") or {}, checks)
        return found
    if kind == "Pod":
        return _checked(kind, totals(spec, "requests"), totals(spec, "limits"), checks)
    return []


def _checked(
    kind: str, requests: Object, limits: Object, checks: Iterable[tuple[Object | None, Check]]
) -> list[str]:
    found = []
    for bounds, check in checks:
        for name in sorted(bounds or {}):
            why = check(kind, name, (bounds or {})[name], requests, limits)
            if why:
                found.append(why)
    return found


def _least(kind: str, name: str, bound: Any, requests: Object, limits: Object) -> str:
    said = f"minimum {name} usage per {kind} is {quantity.canonical(bound)}"
    if name not in requests:
        return f"{said}.  No request is specified"
    return _beyond(said, "request", requests[name], bound, -1) or (
        _beyond(said, "limit", limits[name], bound, -1) if name in limits else ""
    )


def _most(kind: str, name: str, bound: Any, requests: Object, limits: Object) -> str:
    said = f"maximum {name} usage per {kind} is {quantity.canonical(bound)}"
    if name not in limits:
        return f"{said}.  No limit is specified"
    return _beyond(said, "limit", limits[name], bound, 1) or (
        _beyond(said, "request", requests[name], bound, 1) if name in requests else ""
    )


def _most_requested(kind: str, name: str, bound: Any, requests: Object, limits: Object) -> str:
    """For a claim, which has no limits."""
    said = f"maximum {name} usage per {kind} is {quantity.canonical(bound)}"
    if name not in requests:
        return f"{said}.  No request is specified"
    return _beyond(said, "request", requests[name], bound, 1)


def _beyond(said: str, word: str, amount: Any, bound: Any, sign: int) -> str:
    if sign * (quantity.nanos(amount) - quantity.nanos(bound)) <= 0:
        return ""
    return f"{said}, but {word} is {quantity.canonical(amount)}"


def _ratio(kind: str, name: str, bound: Any, requests: Object, limits: Object) -> str:
    said = f"{name} max limit to request ratio per {kind} is {quantity.canonical(bound)}"
    request, limit = quantity.nanos(requests.get(name, 0)), quantity.nanos(limits.get(name, 0))
    if not request:
        return f"{said}, but no request is specified or request is 0"
    if not limit:
        return f"{said}, but no limit is specified or limit is 0"
    if limit * quantity.NANO <= quantity.nanos(bound) * request:
        return ""
    return f"{said}, but provided ratio is {limit / request:f}"
