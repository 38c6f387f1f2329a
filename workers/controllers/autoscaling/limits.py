"""From the number of pods that metrics ask for to the one that is set: steadied over a time, within a rate of
change and within the bounds.

https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.objects.change import Object
from app.schemas.defaults_autoscaling import scale_down, scale_up
from workers.controllers.autoscaling.history import History

# kube-controller-manager --horizontal-pod-autoscaler-downscale-stabilization
DOWN_WINDOW = 300.0
# Without a behavior the number at most doubles at a time, or comes to four.
LIMIT_FACTOR = 2
LIMIT_LEAST = 4
LONGEST_PERIOD = 1800.0

UP_STABILIZED = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
DOWN_STABILIZED = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
READY = ("ReadyForNewScale", "recommended size matches current size")
WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
UP_LIMIT = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
DOWN_LIMIT = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")


@dataclass(frozen=True, slots=True)
class Bounded:
    """The number of pods to set, and the reasons and messages of the conditions AbleToScale and ScalingLimited."""

    replicas: int
    able: tuple[str, str]
    limited: tuple[str, str]


def keep(spec: Object) -> float:
    """For how many seconds recommendations matter."""
    behavior = spec.get("behavior")
    if behavior is None:
        return DOWN_WINDOW
    up = scale_up(behavior).get("stabilizationWindowSeconds") or 0
    return float(max(up, _down_window(behavior)))


def bounded(spec: Object, current: int, desired: int, history: History, now: float) -> Bounded:
    """The number of pods to set, of `current` now and `desired` by the metrics. `history` holds the latter too."""
    if spec.get("behavior") is None:
        return _plain(spec, current, desired, history, now)
    behavior = spec["behavior"]
    up_window = scale_up(behavior).get("stabilizationWindowSeconds") or 0
    lowest = min([desired, *history.within(up_window, now)] if up_window else [desired])
    highest = max([desired, *history.within(_down_window(behavior), now)])
    steady = min(max(current, lowest), highest)
    able = READY
    if steady != desired:
        able = UP_STABILIZED if desired >= current else DOWN_STABILIZED
    if steady > current:
        limit = max(current, _up_limit(scale_up(behavior), current, history, now))
        most = min(spec["maxReplicas"], limit)
        limited = UP_LIMIT if limit < spec["maxReplicas"] else TOO_MANY
        return Bounded(min(steady, most), able, limited if steady > most else WITHIN)
    if steady < current:
        limit = min(current, _down_limit(scale_down(behavior), current, history, now))
        least = max(_least(spec), limit)
        limited = DOWN_LIMIT if limit > _least(spec) else TOO_FEW
        return Bounded(max(steady, least), able, limited if steady < least else WITHIN)
    return Bounded(steady, able, WITHIN)


def _plain(spec: Object, current: int, desired: int, history: History, now: float) -> Bounded:
    steady = max([desired, *history.within(DOWN_WINDOW, now)])
    able = DOWN_STABILIZED if steady != desired else READY
    least, most = _least(spec), spec["maxReplicas"]
    if steady < least:
        return Bounded(least, able, TOO_FEW)
    limit = max(LIMIT_FACTOR * current, LIMIT_LEAST)
    if steady > min(most, limit):
        return Bounded(min(most, limit), able, UP_LIMIT if limit < most else TOO_MANY)
    return Bounded(steady, able, WITHIN)


def _least(spec: Object) -> int:
    least = spec.get("minReplicas")
    return 1 if least is None else int(least)


def _down_window(behavior: Object) -> float:
    window = scale_down(behavior).get("stabilizationWindowSeconds")
    return DOWN_WINDOW if window is None else float(window)


def _up_limit(rules: Object, current: int, history: History, now: float) -> int:
    """How many pods there may be at most, by the policies."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    limits = []
    for policy in rules.get("policies") or ():
        start = _at_start(policy, current, history, now)
        if policy["type"] == "Pods":
            limits.append(start + policy["value"])
        else:
            limits.append(math.ceil(start * (100 + policy["value"]) / 100))
    return (min if rules.get("selectPolicy") == "Min" else max)(limits, default=current)


def _down_limit(rules: Object, current: int, history: History, now: float) -> int:
    """How many pods there must stay at least, by the policies."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    limits = []
    for policy in rules.get("policies") or ():
        start = _at_start(policy, current, history, now)
        if policy["type"] == "Pods":
            limits.append(start - policy["value"])
        else:
            limits.append(int(start * (100 - policy["value"]) / 100))
    return (max if rules.get("selectPolicy") == "Min" else min)(limits, default=current)


def _at_start(policy: Object, current: int, history: History, now: float) -> int:
    """How many pods were asked for when the policy's period began."""
    period = policy["periodSeconds"]
    added = history.changed(history.added, period, now)
    return current - added + history.changed(history.removed, period, now)
