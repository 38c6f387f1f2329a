"""What all metrics of an autoscaler together ask for: the most of what each asks for.

If one can't be told, no pods go because of the others (k8s.io/kubernetes/pkg/controller/podautoscaler,
`computeReplicasForMetrics`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.objects.change import Object, ReadView
from app.objects.quantity import millis, nanos, of_millis
from workers.controllers import pod_usage
from workers.controllers.autoscaling.replicas import (
    TOLERANCE,
    Answer,
    NoAnswer,
    Target,
    Tolerance,
    replicas,
)


@dataclass(slots=True)
class Asked:
    """What the metrics ask for.

    Attributes:
        replicas: how many pods; None if that can't be told. name: the metric that asks for most.
        statuses: what was measured, for `status.currentMetrics`. failures: reason and message of what failed.
        error: what the Event says if nothing can be told.
    """

    replicas: int | None = None
    name: str = ""
    statuses: list[Object] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""


class _Failed(Exception):
    """One metric: the reason, what its own Event says, and what the sum says."""

    def __init__(self, reason: str, message: str, whole: str) -> None:
        super().__init__(message)
        self.reason, self.message, self.whole = reason, message, whole


def asked(view: ReadView, autoscaler: Object, current: int, pods: Sequence[Object], now: float) -> Asked:
    """What the autoscaler's metrics ask for, of `current` pods wanted now, which are `pods`."""
    result = Asked()
    metrics = autoscaler["spec"].get("metrics") or ()
    first = ""
    for metric in metrics:
        try:
            answer, name, status = _one(view, autoscaler, metric, current, pods, now)
        except _Failed as exc:
            result.failures.append((exc.reason, exc.message))
            first = first or exc.whole
            continue
        result.statuses.append(status)
        if result.replicas is None or answer.replicas > result.replicas:
            result.replicas, result.name = answer.replicas, name
    if result.failures and (result.replicas is None or result.replicas < current):
        result.replicas = None
        result.error = (
            f"invalid metrics ({len(result.failures)} invalid out of {len(metrics)}), first error is: {first}"
        )
    return result


def _one(
    view: ReadView, autoscaler: Object, metric: Object, current: int, pods: Sequence[Object], now: float
) -> tuple[Answer, str, Object]:
    kind = metric.get("type")
    if kind == "Resource":
        return _resource(view, autoscaler, metric["resource"], "resource", current, pods, now)
    if kind == "ContainerResource":
        return _resource(
            view, autoscaler, metric["containerResource"], "containerResource", current, pods, now
        )
    raise _unserved(metric)


def _resource(
    view: ReadView,
    autoscaler: Object,
    source: Object,
    where: str,
    current: int,
    pods: Sequence[Object],
    now: float,
) -> tuple[Answer, str, Object]:
    resource, container = source["name"], source.get("container") or ""
    target = Target(resource, container)
    goal = source.get("target") or {}
    if goal.get("averageValue") is not None:
        target.average = millis(goal["averageValue"])
    else:
        target.utilization = goal.get("averageUtilization") or 0
    kind = "container resource" if container else "resource"
    try:
        found = pod_usage.measured(view, pods, resource, container)
        answer = replicas(target, current, pods, found, _tolerance(autoscaler), now)
    except NoAnswer as exc:
        what = "utilization" if target.utilization else "usage"
        reason = "FailedGetContainerResourceMetric" if container else "FailedGetResourceMetric"
        message = f"failed to get {resource} {what}: {exc}"
        whole = (
            f"failed to get {container or resource} {'container' if container else 'resource'} metric value"
        )
        raise _Failed(reason, message, f"{whole}: {message}") from exc
    measured: Object = {"averageValue": _written(resource, answer.average)}
    if answer.utilization is not None:
        measured["averageUtilization"] = answer.utilization
    status: Object = {"name": resource, "current": measured}
    if container:
        status["container"] = container
    suffix = " utilization (percentage of request)" if target.utilization else ""
    status = {"type": where[0].upper() + where[1:], where: status}
    return answer, f"{resource} {kind}{suffix}", status


def _written(resource: str, amount: int) -> str:
    """Thousandths as the quantity that a person expects: bytes have no fractions."""
    return str(amount // 1000) if resource != "cpu" else of_millis(amount)


def _tolerance(autoscaler: Object) -> Tolerance:
    behavior = autoscaler["spec"].get("behavior") or {}

    def given(direction: str) -> float:
        tolerance = (behavior.get(direction) or {}).get("tolerance")
        return TOLERANCE if tolerance is None else nanos(tolerance) / 1e9

    return Tolerance(given("scaleUp"), given("scaleDown"))


def _unserved(metric: Object) -> _Failed:
    """Metrics of other APIs, of which none is served here."""
    kind = metric.get("type") or ""
    source = metric.get(kind[:1].lower() + kind[1:]) or {}
    name = (source.get("metric") or {}).get("name", "")
    if kind == "External":
        why = (
            f"unable to get external metric {name}: unable to fetch metrics from external metrics API: the server "
            f"could not find the requested resource (get {name}.external.metrics.k8s.io)"
        )
        return _Failed("FailedGetExternalMetric", why, f"failed to get {name} external metric value: {why}")
    why = (
        f"unable to get metric {name}: unable to fetch metrics from custom metrics API: no known available metric "
        "versions found"
    )
    if kind == "Object":
        return _Failed("FailedGetObjectMetric", why, f"failed to get object metric value: {why}")
    return _Failed("FailedGetPodsMetric", why, f"failed to get pods metric value: {why}")
