"""Autoscalers of autoscaling/v1 and v2, each made of the other.

v1 knows cpu utilisation only. All else that v2 says stands in annotations of the v1 object, in the form in which
k8s.io/kubernetes/pkg/apis/autoscaling/v1/conversion.go writes it, so that who reads v1 and writes it back loses
nothing.
"""

from __future__ import annotations

from typing import Any

import orjson

from app.objects.change import Object
from app.schemas.defaults_autoscaling import TARGET
from app.schemas.field import Field
from app.schemas.mismatch import Mismatch
from app.schemas.types.autoscaling_v2 import HorizontalPodAutoscalerSpec, HorizontalPodAutoscalerStatus

_PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS = f"{_PREFIX}metrics"
CURRENT = f"{_PREFIX}current-metrics"
CONDITIONS = f"{_PREFIX}conditions"
BEHAVIOR = f"{_PREFIX}behavior"
ANNOTATIONS = (METRICS, CURRENT, CONDITIONS, BEHAVIOR)
_CPU = "cpu"
# Where a metric comes from, by the field that says more of it.
_SOURCES = {
    "object": "Object",
    "pods": "Pods",
    "resource": "Resource",
    "containerResource": "ContainerResource",
    "external": "External",
}
_SPEC, _STATUS = HorizontalPodAutoscalerSpec.fields_of(), HorizontalPodAutoscalerStatus.fields_of()


def from_v2(obj: Object) -> Object:
    """A v2 autoscaler as v1."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    cpu, others = _split(spec.pop("metrics", None) or (), "target")
    measured, others_measured = _split(status.pop("currentMetrics", None) or (), "current")
    if cpu is not None:
        spec["targetCPUUtilizationPercentage"] = cpu
    if measured is not None:
        status["currentCPUUtilizationPercentage"] = measured
    behavior, conditions = spec.pop("behavior", None), status.pop("conditions", None)
    notes = {
        METRICS: [_flat(metric, "target") for metric in others],
        CURRENT: [_flat(metric, "current") for metric in others_measured],
        CONDITIONS: conditions,
        BEHAVIOR: behavior,
    }
    meta = dict(obj["metadata"])
    annotations = {k: v for k, v in (meta.pop("annotations", None) or {}).items() if k not in ANNOTATIONS}
    annotations.update((key, orjson.dumps(value).decode()) for key, value in notes.items() if value)
    if annotations:
        meta["annotations"] = annotations
    made = {**obj, "metadata": meta, "spec": spec}
    if "status" in obj:
        # v1 always says both.
        made["status"] = {"currentReplicas": 0, "desiredReplicas": 0, **status}
    return made


def to_v2(obj: Object) -> Object:
    """A v1 autoscaler as v2. What can't be read in an annotation, or is not of v2's types, counts as absent."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    meta = dict(obj.get("metadata") or {})
    annotations = dict(meta.pop("annotations", None) or {})
    notes = {key: _read(annotations.pop(key, "")) for key in ANNOTATIONS}
    if annotations:
        meta["annotations"] = annotations
    metrics = _typed(_SPEC["metrics"], [_nested(metric, "target") for metric in _objects(notes[METRICS])])
    cpu = spec.pop("targetCPUUtilizationPercentage", None)
    if cpu is not None or not metrics:
        target = {"type": "Utilization", "averageUtilization": TARGET if cpu is None else cpu}
        metrics.append({"type": "Resource", "resource": {"name": _CPU, "target": target}})
    spec["metrics"] = metrics
    for behavior in _typed(_SPEC["behavior"], [notes[BEHAVIOR]]):
        spec["behavior"] = behavior
    nested = [_nested(metric, "current") for metric in _objects(notes[CURRENT])]
    measured = _typed(_STATUS["currentMetrics"], nested)
    used = status.pop("currentCPUUtilizationPercentage", None)
    if used is not None:
        measured.append(
            {"type": "Resource", "resource": {"name": _CPU, "current": {"averageUtilization": used}}}
        )
    conditions = _typed(_STATUS["conditions"], _objects(notes[CONDITIONS]))
    if conditions:
        status["conditions"] = conditions
    if status or measured:
        # Of these two v2 keeps only what is not zero, and always says the other.
        status = {k: v for k, v in status.items() if v or k != "currentReplicas"}
        status["currentMetrics"] = measured
    made = {**obj, "metadata": meta, "spec": spec}
    if status:
        made["status"] = status
    return made


def _split(metrics: Any, part: str) -> tuple[int | None, list[Object]]:
    """The cpu utilisation, where there is one, and the other metrics."""
    found: int | None = None
    others = []
    for metric in metrics:
        resource = metric.get("resource") or {}
        utilization = (resource.get(part) or {}).get("averageUtilization")
        if found is None and resource.get("name") == _CPU and utilization is not None:
            found = utilization
        else:
            others.append(metric)
    return found, others


def _flat(metric: Object, part: str) -> Object:
    """A metric in the older form, which keeps identity and target in one."""
    flat = {
        field: _flat_source(kind, metric[field], part) for field, kind in _SOURCES.items() if field in metric
    }
    return {"type": metric.get("type") or "", **flat}


def _flat_source(kind: str, source: Object, part: str) -> Object:
    values = source.get(part) or {}
    flat: Object = {key: source[key] for key in ("name", "container") if key in source}
    identity = source.get("metric") or {}
    if identity:
        flat["metricName"] = identity.get("name", "")
        if identity.get("selector"):
            flat["metricSelector" if kind == "External" else "selector"] = identity["selector"]
    if source.get("describedObject"):
        flat["target"] = source["describedObject"]
    for name, value in values.items():
        if name != "type":
            flat[_older(kind, name, part)] = value
    return flat


def _older(kind: str, name: str, part: str) -> str:
    """`averageValue` of a target as `targetAverageValue`, but for Objects, which say it plainly."""
    if kind == "Object" and name == "averageValue":
        return name
    return part + name[0].upper() + name[1:]


def _nested(metric: Object, part: str) -> Object:
    """The way back from `_flat`."""
    nested = {
        field: _nested_source(kind, metric[field], part)
        for field, kind in _SOURCES.items()
        if isinstance(metric.get(field), dict)
    }
    return {"type": metric.get("type") or "", **nested}


def _nested_source(kind: str, flat: Object, part: str) -> Object:
    source: Object = {key: flat[key] for key in ("name", "container") if key in flat}
    if "metricName" in flat:
        identity = {"name": flat["metricName"]}
        selector = flat.get("metricSelector") or flat.get("selector")
        if selector:
            identity["selector"] = selector
        source["metric"] = identity
    if "target" in flat:
        source["describedObject"] = flat["target"]
    values = {
        name: flat[older]
        for name in ("value", "averageValue", "averageUtilization")
        if (older := _older(kind, name, part)) in flat
    }
    if part == "target":
        values["type"] = _target_type(values)
    source[part] = values
    return source


def _target_type(values: Object) -> str:
    if "averageUtilization" in values:
        return "Utilization"
    return "AverageValue" if "averageValue" in values else "Value"


def _read(text: str) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None


def _typed(field: Field, values: list[Any]) -> list[Any]:
    """Those of the values that the field can hold, or that its items can, as they are stored."""
    inner = field.children() if field.go.startswith("[]") else field
    assert isinstance(inner, Field)
    decode, found = inner.decoder(), []
    for value in values:
        try:
            found.append(decode(value, []) if value is not None else None)
        except Mismatch:
            continue
    return [value for value in found if value is not None]


def _objects(value: Any) -> list[Object]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
