"""Rules for autoscalers (k8s.io/kubernetes/pkg/apis/autoscaling/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.quantity import nanos
from app.schemas.faults import Faults
from app.schemas.formats import dns_label, path_segment

LONGEST_WINDOW = 3600
LONGEST_PERIOD = 1800
_SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
# In the order in which Kubernetes looks; only the first that is given is looked at closely.
_FIELDS = ("object", "external", "pods", "resource", "containerResource")
_SELECT = ("Disabled", "Max", "Min")
_POLICIES = ("Percent", "Pods")
_TARGETS = ("Utilization", "Value", "AverageValue")


def spec(given: Object, path: str, faults: Faults) -> None:
    least, most = given.get("minReplicas"), given.get("maxReplicas") or 0
    if least is not None and least < 1:
        faults.invalid(f"{path}.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        faults.invalid(f"{path}.maxReplicas", most, "must be greater than 0")
    if least is not None and most < least:
        faults.invalid(f"{path}.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    for i, metric in enumerate(given.get("metrics") or ()):
        _metric(metric, f"{path}.metrics[{i}]", faults)
    behavior = given.get("behavior") or {}
    for direction in ("scaleUp", "scaleDown"):
        if behavior.get(direction) is not None:
            _rules(behavior[direction], f"{path}.behavior.{direction}", faults)


def reference(given: Object, path: str, faults: Faults) -> None:
    """Kind and name are fit for a path."""
    for field in ("kind", "name"):
        if given.get(field):
            faults.all_invalid(f"{path}.{field}", given[field], path_segment(given[field]))


def _rules(rules: Object, path: str, faults: Faults) -> None:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        faults.invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > LONGEST_WINDOW:
        faults.invalid(
            f"{path}.stabilizationWindowSeconds", window, f"must be less than or equal to {LONGEST_WINDOW}"
        )
    select = rules.get("selectPolicy")
    if select is not None and select not in _SELECT:
        faults.not_supported(f"{path}.selectPolicy", select, _SELECT)
    if not rules.get("policies"):
        faults.required(f"{path}.policies", "must specify at least one Policy")
    for i, policy in enumerate(rules.get("policies") or ()):
        _policy(policy, f"{path}.policies[{i}]", faults)
    tolerance = rules.get("tolerance")
    if tolerance is not None and nanos(tolerance) < 0:
        faults.invalid(f"{path}.tolerance", tolerance, "must be greater or equal to zero")


def _policy(policy: Object, path: str, faults: Faults) -> None:
    if policy.get("type") not in _POLICIES:
        faults.not_supported(f"{path}.type", policy.get("type", ""), _POLICIES)
    value, period = policy.get("value") or 0, policy.get("periodSeconds") or 0
    if value <= 0:
        faults.invalid(f"{path}.value", value, "must be greater than zero")
    if period <= 0:
        faults.invalid(f"{path}.periodSeconds", period, "must be greater than zero")
    if period > LONGEST_PERIOD:
        faults.invalid(f"{path}.periodSeconds", period, f"must be less than or equal to {LONGEST_PERIOD}")


def _metric(metric: Object, path: str, faults: Faults) -> None:
    kind = metric.get("type") or ""
    if not kind:
        faults.required(f"{path}.type", "must specify a metric source type")
    if kind not in _SOURCES:
        faults.not_supported(f"{path}.type", kind, tuple(_SOURCES))
    present = [field for field in _FIELDS if metric.get(field) is not None]
    if present:
        _source(present[0], metric[present[0]], f"{path}.{present[0]}", faults)
    expected = _SOURCES.get(kind)
    if expected and metric.get(expected) is None:
        faults.required(f"{path}.{expected}", "must populate information for the given metric source")
    if len(present) != 1:
        for field in present:
            if field != expected:
                faults.forbidden(f"{path}.{field}", "must populate the given metric source only")


def _source(field: str, source: Object, path: str, faults: Faults) -> None:
    target, where = source.get("target") or {}, f"{path}.target"
    if field in ("resource", "containerResource"):
        if not source.get("name"):
            faults.required(f"{path}.name", "must specify a resource name")
        if field == "containerResource":
            _container(source.get("container") or "", f"{path}.container", faults)
    else:
        name = (source.get("metric") or {}).get("name") or ""
        if not name:
            faults.required(f"{path}.metric.name", "must specify a metric name")
        else:
            faults.all_invalid(f"{path}.metric.name", name, path_segment(name))
    _target(target, where, faults)
    value, average = target.get("value"), target.get("averageValue")
    if field in ("resource", "containerResource"):
        utilization = target.get("averageUtilization")
        if utilization is None and average is None:
            faults.required(
                f"{where}.averageUtilization", "must set either a target raw value or a target utilization"
            )
        if utilization is not None and average is not None:
            faults.forbidden(
                f"{where}.averageValue", "may not set both a target raw value and a target utilization"
            )
    elif field == "pods":
        if average is None:
            faults.required(f"{where}.averageValue", "must specify a positive target averageValue")
    elif field == "object":
        if value is None and average is None:
            faults.required(f"{where}.averageValue", "must set either a target value or averageValue")
    else:
        if value is None and average is None:
            faults.required(
                f"{where}.averageValue", "must set either a target value for metric or a per-pod target"
            )
        if value is not None and average is not None:
            faults.forbidden(
                f"{where}.value", "may not set both a target value for metric and a per-pod target"
            )


def _container(name: str, path: str, faults: Faults) -> None:
    if not name:
        faults.required(path, "must specify a container")
    else:
        faults.all_invalid(path, name, dns_label(name))


def _target(target: Object, path: str, faults: Faults) -> None:
    kind = target.get("type") or ""
    if not kind:
        faults.required(f"{path}.type", "must specify a metric target type")
    if kind not in _TARGETS:
        faults.invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    for field in ("value", "averageValue"):
        if target.get(field) is not None and nanos(target[field]) <= 0:
            faults.invalid(f"{path}.{field}", target[field], "must be positive")
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        faults.invalid(f"{path}.averageUtilization", utilization, "must be greater than 0")
