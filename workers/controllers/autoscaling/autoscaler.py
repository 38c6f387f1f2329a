"""HorizontalPodAutoscaler: sets the number of pods of something after what they use.

Looked at every 15 seconds, as in Kubernetes.
https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
"""

from __future__ import annotations

from collections.abc import Sequence

from app.base.clock import rfc3339
from app.objects import conditions
from app.objects.change import Object, ReadView, Write, update
from app.objects.conditions import Truth
from app.objects.meta import is_deleting, labels
from app.objects.selectors import Selector
from workers.controllers.autoscaling import history as autoscaler_history
from workers.controllers.autoscaling import limits as autoscaler_limits
from workers.controllers.autoscaling import metrics as autoscaler_metrics
from workers.controllers.interests import itself, unless_same
from workers.controllers.scalable import Scalable, find
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

RESOURCE = "horizontalpodautoscalers.autoscaling"
# kube-controller-manager --horizontal-pod-autoscaler-sync-period
PERIOD = 15.0


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Measure, decide, scale, and say what was done."""
    autoscaler = view.get(RESOURCE, key)
    if autoscaler is None or is_deleting(autoscaler):
        return NOTHING
    return _Step(view, autoscaler, now).plan()


class _Step:
    """One look at one autoscaler, as it takes shape."""

    def __init__(self, view: ReadView, autoscaler: Object, now: float) -> None:
        self._view = view
        self._before = autoscaler
        generation = autoscaler["metadata"].get("generation", 1)
        status = {"desiredReplicas": 0, **(autoscaler.get("status") or {}), "observedGeneration": generation}
        self._after: Object = {**autoscaler, "status": status}
        self._now = now
        self._events: list[EventNote] = []
        self._writes: list[Write] = []

    def plan(self) -> Plan:
        target = self._target()
        if target is not None:
            self._scale(*target)
        if self._after != self._before:
            self._writes.append(update(RESOURCE, self._after))
        return Plan(tuple(self._writes), tuple(self._events), PERIOD)

    def _target(self) -> tuple[Scalable, Object] | None:
        """What is scaled, and how."""
        reference = self._before["spec"]["scaleTargetRef"]
        group = (reference.get("apiVersion") or "").rpartition("/")[0]
        namespace, kind = self._before["metadata"]["namespace"], reference["kind"]
        scalable, name = _place(self._view, self._before)
        found = self._view.get(scalable.resource, f"{namespace}/{name}") if scalable else None
        if scalable is None or found is None:
            why = (
                f'{scalable.resource} "{name}" not found'
                if scalable
                else f'no matches for kind "{kind}" in group "{group}"'
            )
            text = f"the HPA controller was unable to get the target's current scale: {why}"
            self._say("AbleToScale", "False", "FailedGetScale", text)
            self._tell("FailedGetScale", why, warning=True)
            return None
        text = "the HPA controller was able to get the target's current scale"
        self._say("AbleToScale", "True", "SucceededGetScale", text)
        return scalable, found

    def _scale(self, scalable: Scalable, target: Object) -> None:
        spec = self._before["spec"]
        current = scalable.wanted(target)
        self._count(currentReplicas=scalable.there(target))
        least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
        if current == 0 and least != 0:
            text = "scaling is disabled since the replica count of the target is zero"
            self._say("ScalingActive", "False", "ScalingDisabled", text)
            self._count(desiredReplicas=0)
            return
        if current > most:
            self._set(scalable, target, most, "Current number of replicas above Spec.MaxReplicas")
        elif current < least:
            self._set(scalable, target, least, "Current number of replicas below Spec.MinReplicas")
        else:
            self._measure(scalable, target, current)

    def _measure(self, scalable: Scalable, target: Object, current: int) -> None:
        spec = self._before["spec"]
        selector = scalable.selector(target)
        if selector is None:
            text = "the HPA target's scale is missing a selector"
            self._say("ScalingActive", "False", "InvalidSelector", text)
            self._tell("SelectorRequired", "selector is required", warning=True)
            return
        rivals = self._rivals(scalable.resource, target)
        if rivals:
            text = f"pods by selector {selector} are controlled by multiple HPAs: [{' '.join(rivals)}]"
            self._say("ScalingActive", "False", "AmbiguousSelector", text)
            self._tell("AmbiguousSelector", text, warning=True)
            return
        pods = _pods(self._view, target, selector)
        asked = autoscaler_metrics.asked(self._view, self._before, current, pods, self._now)
        for reason, message in asked.failures:
            self._tell(reason, message, warning=True)
        if asked.statuses:
            self._count(currentMetrics=asked.statuses)
        if asked.replicas is None:
            reason, message = asked.failures[0]
            text = f"the HPA was unable to compute the replica count: {message}"
            self._say("ScalingActive", "False", reason, text)
            self._tell("FailedComputeMetricsReplicas", asked.error, warning=True)
            return
        text = f"the HPA was able to successfully calculate a replica count from {asked.name}"
        self._say("ScalingActive", "True", "ValidMetricFound", text)
        keep = autoscaler_limits.keep(spec)
        history = autoscaler_history.remembered(self._before)
        if not history.recommended:
            # What there was when it was made counts as recommended, so that it takes nothing away at first.
            history = history.recommending(current, self._now, keep)
        history = history.recommending(asked.replicas, self._now, keep)
        result = autoscaler_limits.bounded(spec, current, asked.replicas, history, self._now)
        self._say("AbleToScale", "True", *result.able)
        limited: Truth = "False" if result.limited == autoscaler_limits.WITHIN else "True"
        self._say("ScalingLimited", limited, *result.limited)
        change = result.replicas - current
        if change:
            history = history.scaled(change, self._now, autoscaler_limits.LONGEST_PERIOD)
        self._after = autoscaler_history.remembering(self._after, history)
        if change:
            why = f"{asked.name} above target" if change > 0 else "All metrics below target"
            self._set(scalable, target, result.replicas, why)
        else:
            self._count(desiredReplicas=current)

    def _rivals(self, resource: str, target: Object) -> list[str]:
        """All autoscalers of the target, if it has others."""
        namespace = self._before["metadata"]["namespace"]
        names = [
            f"{namespace}/{other['metadata']['name']}"
            for other in self._view.list(RESOURCE, namespace)
            if (found := _place(self._view, other))[1] == target["metadata"]["name"]
            and found[0] is not None
            and found[0].resource == resource
        ]
        return names if len(names) > 1 else []

    def _set(self, scalable: Scalable, target: Object, replicas: int, why: str) -> None:
        self._writes.append(update(scalable.resource, scalable.resized(target, replicas)))
        text = f"the HPA controller was able to update the target scale to {replicas}"
        self._say("AbleToScale", "True", "SucceededRescale", text)
        self._tell("SuccessfulRescale", f"New size: {replicas}; reason: {why}")
        self._count(desiredReplicas=replicas, lastScaleTime=rfc3339(self._now))

    def _count(self, **counts: object) -> None:
        self._after = {**self._after, "status": {**self._after["status"], **counts}}

    def _say(self, kind: str, truth: Truth, reason: str, message: str) -> None:
        self._after = conditions.with_condition(
            self._after, kind, truth, self._now, reason=reason, message=message
        )

    def _tell(self, reason: str, message: str, warning: bool = False) -> None:
        self._events.append(EventNote(self._before, reason, message, "Warning" if warning else "Normal"))


def _place(view: ReadView, autoscaler: Object) -> tuple[Scalable | None, str]:
    """How what it scales is scaled, None if that has no size, and its name."""
    reference = autoscaler["spec"]["scaleTargetRef"]
    group = (reference.get("apiVersion") or "").rpartition("/")[0]
    return find(view, group, reference["kind"]), reference["name"]


def _pods(view: ReadView, target: Object, selector: Selector) -> Sequence[Object]:
    """The pods that the target's selector matches."""
    return [
        pod for pod in view.list("pods", target["metadata"]["namespace"]) if selector.matches(labels(pod))
    ]


ROLE = Role(
    "horizontal-pod-autoscaler",
    plan,
    (itself(RESOURCE, unless_same(lambda a: (a["spec"], a["metadata"].get("deletionTimestamp")))),),
    lambda view: view.keys(RESOURCE),
    measures=True,
)
