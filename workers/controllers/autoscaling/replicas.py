"""How many pods a metric asks for: as many as make the average what it should be.

Pods that are not ready yet, or of which nothing is known, are reckoned with so that they never make the answer
bolder (k8s.io/kubernetes/pkg/controller/podautoscaler/replica_calculator.go, and
https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.base.clock import parse_rfc3339
from app.objects import conditions
from app.objects.change import Object
from app.objects.meta import is_deleting
from app.objects.quantity import millis
from workers.controllers.pod_usage import Measured

# kube-controller-manager --horizontal-pod-autoscaler-cpu-initialization-period, -initial-readiness-delay,
# -tolerance
CPU_INITIALIZATION = 300.0
INITIAL_READINESS = 30.0
TOLERANCE = 0.1


class NoAnswer(Exception):
    """The number of pods can't be told, and why."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far off the target, as a share of it, is near enough."""

    up: float = TOLERANCE
    down: float = TOLERANCE

    def covers(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True, slots=True)
class Answer:
    """How many pods there should be. `utilization` is in percent of the requests (None if not asked for), `average`
    in thousandths for each pod."""

    replicas: int
    utilization: int | None
    average: int


@dataclass(slots=True)
class Target:
    """What a resource of the pods should be: `utilization` percent of what they ask for, or `average` thousandths
    for each pod."""

    resource: str
    container: str = ""
    utilization: int = 0
    average: int = 0


@dataclass(slots=True)
class _Groups:
    ready: int
    unready: list[str]
    missing: list[str]
    ignored: list[str]


def replicas(
    target: Target,
    current: int,
    pods: Sequence[Object],
    measured: Mapping[str, Measured],
    tolerance: Tolerance,
    now: float,
) -> Answer:
    """How many pods there should be, of `current` that the target's owner wants now.

    Raises:
        NoAnswer: what would be needed for it is not known.
    """
    if not measured:
        raise NoAnswer(
            f"unable to get metrics for resource {target.resource}: no metrics returned from resource metrics API"
        )
    if not pods:
        raise NoAnswer("no pods returned by selector while calculating replica count")
    groups = _grouped(target.resource, pods, measured, now)
    names = {pod["metadata"]["name"] for pod in pods}
    dropped = {*groups.ignored, *groups.unready}
    usage = {name: found.amount for name, found in measured.items() if name in names and name not in dropped}
    if not usage:
        raise NoAnswer("did not receive metrics for targeted pods (pods might be unready)")
    # What each pod should use; for an average, all the same.
    asked = _requests(target, pods) if target.utilization else {}
    ratio, utilization = _ratio(target, usage, asked)
    average = sum(usage.values()) // len(usage)
    told = utilization if target.utilization else None
    growing_with_unready = bool(groups.unready) and ratio > 1.0
    if not growing_with_unready and not groups.missing:
        wanted = current if tolerance.covers(ratio) else math.ceil(ratio * groups.ready)
        return Answer(wanted, told, average)
    for name in groups.missing:
        if ratio < 1.0:
            usage[name] = _full(target, asked, name)
        elif ratio > 1.0:
            usage[name] = 0
    if growing_with_unready:
        usage.update(dict.fromkeys(groups.unready, 0))
    careful, _ = _ratio(target, usage, asked)
    turned = (ratio < 1.0 < careful) or (careful < 1.0 < ratio)
    if tolerance.covers(careful) or turned:
        return Answer(current, told, average)
    wanted = math.ceil(careful * len(usage))
    if (careful < 1.0 and wanted > current) or (careful > 1.0 and wanted < current):
        wanted = current
    return Answer(wanted, told, average)


def _full(target: Target, asked: Mapping[str, int], name: str) -> int:
    """What a pod of which nothing is known counts as when pods are to go: as using what it should, at least."""
    if not target.utilization:
        return target.average
    return asked.get(name, 0) * max(100, target.utilization) // 100


def _ratio(target: Target, usage: Mapping[str, int], asked: Mapping[str, int]) -> tuple[float, int]:
    """How much is used of what should be, and in percent of the requests."""
    if not target.utilization:
        return (sum(usage.values()) // len(usage)) / target.average, 0
    total = sum(asked[name] for name in usage if name in asked)
    if not total:
        raise NoAnswer("no metrics returned matched known pods")
    percent = sum(amount for name, amount in usage.items() if name in asked) * 100 // total
    return percent / target.utilization, percent


def _requests(target: Target, pods: Sequence[Object]) -> dict[str, int]:
    """What each pod asks for. Raises NoAnswer."""
    found = {}
    for pod in pods:
        total = 0
        sidecars = [c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
        for container in [*(pod["spec"].get("containers") or ()), *sidecars]:
            if target.container and container["name"] != target.container:
                continue
            request = ((container.get("resources") or {}).get("requests") or {}).get(target.resource)
            if request is None:
                raise NoAnswer(
                    f"missing request for {target.resource} in container {container['name']} of Pod "
                    f"{pod['metadata']['name']}"
                )
            total += millis(request)
        found[pod["metadata"]["name"]] = total
    return found


def _grouped(resource: str, pods: Sequence[Object], measured: Mapping[str, Measured], now: float) -> _Groups:
    groups = _Groups(0, [], [], [])
    for pod in pods:
        name = pod["metadata"]["name"]
        phase = (pod.get("status") or {}).get("phase")
        if is_deleting(pod) or phase == "Failed":
            groups.ignored.append(name)
        elif phase in (None, "Pending"):
            groups.unready.append(name)
        elif name not in measured:
            groups.missing.append(name)
        elif resource == "cpu" and _is_starting(pod, measured[name], now):
            groups.unready.append(name)
        else:
            groups.ready += 1
    return groups


def _is_starting(pod: Object, found: Measured, now: float) -> bool:
    """Whether what the pod uses of cpu tells of its start rather than of its work."""
    ready, began = conditions.get(pod, "Ready"), (pod.get("status") or {}).get("startTime")
    if ready is None or not began or not ready.get("lastTransitionTime"):
        return True
    start, changed = parse_rfc3339(began), parse_rfc3339(ready["lastTransitionTime"])
    if start + CPU_INITIALIZATION > now:
        return ready["status"] == "False" or found.at < changed + found.window
    return bool(ready["status"] == "False" and start + INITIAL_READINESS > changed)
