"""The table of autoscalers (k8s.io/kubernetes/pkg/printers/internalversion)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME, NONE, UNSET
from app.schemas.kind import Column

MOST_SHOWN = 2
_UNKNOWN = "<unknown>"


def _reference(obj: Object) -> str:
    target = (obj.get("spec") or {}).get("scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _least(obj: Object) -> str:
    least = (obj.get("spec") or {}).get("minReplicas")
    return UNSET if least is None else str(least)


def _targets(obj: Object) -> str:
    """What is measured of what is aimed at, metric by metric."""
    metrics = (obj.get("spec") or {}).get("metrics") or []
    measured = (obj.get("status") or {}).get("currentMetrics") or []
    shown = [_pair(spec, measured[i] if i < len(measured) else {}) for i, spec in enumerate(metrics)]
    if not shown:
        return NONE
    more = len(shown) - MOST_SHOWN
    text = ", ".join(shown[:MOST_SHOWN])
    return f"{text} + {more} more..." if more > 0 else text


def _pair(spec: Object, status: Object) -> str:
    kind = spec.get("type") or ""
    field = kind[:1].lower() + kind[1:]
    source = spec.get(field) or {}
    target, current = source.get("target") or {}, (status.get(field) or {}).get("current") or {}
    if kind in ("Resource", "ContainerResource"):
        name = source.get("name", "")
        if target.get("averageValue") is not None:
            return f"{name}: {current.get('averageValue') or _UNKNOWN}/{target['averageValue']}"
        used, wanted = current.get("averageUtilization"), target.get("averageUtilization")
        return f"{name}: {_UNKNOWN if used is None else f'{used}%'}/{'<auto>' if wanted is None else f'{wanted}%'}"
    if target.get("averageValue") is not None:
        average = f"{current.get('averageValue') or _UNKNOWN}/{target['averageValue']}"
        return average if kind == "Pods" else f"{average} (avg)"
    return f"{current.get('value') or _UNKNOWN}/{target.get('value') or '<auto>'}"


def _v1_targets(obj: Object) -> str:
    wanted = (obj.get("spec") or {}).get("targetCPUUtilizationPercentage")
    used = (obj.get("status") or {}).get("currentCPUUtilizationPercentage")
    if wanted is None:
        return NONE
    return f"cpu: {_UNKNOWN if used is None else f'{used}%'}/{wanted}%"


def _table(targets: Column) -> tuple[Column, ...]:
    return (
        NAME,
        Column("Reference", "string", lambda obj, _: _reference(obj), description="What is scaled."),
        targets,
        Column("MinPods", "string", lambda obj, _: _least(obj), description="How few pods there may be."),
        Column(
            "MaxPods",
            "integer",
            lambda obj, _: (obj.get("spec") or {}).get("maxReplicas", 0),
            description="How many pods there may be.",
        ),
        Column(
            "Replicas",
            "integer",
            lambda obj, _: (obj.get("status") or {}).get("currentReplicas") or 0,
            description="Pods there are.",
        ),
        AGE,
    )


_ABOUT = "What is measured, and what is aimed at."
AUTOSCALER = _table(Column("Targets", "string", lambda obj, _: _targets(obj), description=_ABOUT))
AUTOSCALER_V1 = _table(Column("Targets", "string", lambda obj, _: _v1_targets(obj), description=_ABOUT))
