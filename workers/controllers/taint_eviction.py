"""Taint eviction: pods leave a node that has a NoExecute taint, at once or when their patience ends.

https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
"""

from __future__ import annotations

from collections.abc import Iterable

from app.base.clock import parse_rfc3339, rfc3339
from app.objects import conditions, deletion, pods, taints
from app.objects.change import Object, ReadView, Write, update
from app.objects.meta import is_deleting
from workers.controllers.interests import itself, unless_same, watches
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

RESOURCE = "nodes"


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Delete the pods of one node that no longer tolerate its taints; look again when the next one won't."""
    node = view.get(RESOURCE, key)
    evicting = _evicting(node) if node else []
    if node is None or not evicting:
        return NOTHING
    if any(not taint.get("timeAdded") for taint in evicting):
        # Patience is counted from here; a taint set by hand has no time.
        return Plan((update(RESOURCE, _dated(node, now)),), reason="taints get their time")
    writes: list[Write] = []
    events: list[EventNote] = []
    next_at: float | None = None
    for pod in view.on_node(key):
        if is_deleting(pod) or pods.is_terminal(pod):
            continue
        at = _evicted_at(pod, evicting)
        if at is None:
            continue
        if at > now:
            next_at = at if next_at is None else min(next_at, at)
            continue
        write = deletion.removal("pods", _disrupted(pod, now), now)
        if write is not None:
            name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            writes.append(write)
            events.append(EventNote(pod, "TaintManagerEviction", f"Marking for deletion Pod {name}"))
    wait = None if next_at is None else next_at - now
    reason = f"{len(writes)} pods don't tolerate the taints of {key}" if writes else ""
    return Plan(tuple(writes), tuple(events), wait, reason)


def _evicting(node: Object) -> list[Object]:
    return [t for t in (node.get("spec") or {}).get("taints") or () if t.get("effect") == taints.NO_EXECUTE]


def _dated(node: Object, now: float) -> Object:
    dated = [
        {**t, "timeAdded": rfc3339(now)}
        if t.get("effect") == taints.NO_EXECUTE and not t.get("timeAdded")
        else t
        for t in node["spec"]["taints"]
    ]
    return {**node, "spec": {**node["spec"], "taints": dated}}


def _evicted_at(pod: Object, evicting: list[Object]) -> float | None:
    """When the pod has to go, in seconds since the epoch; None if it may stay for ever."""
    tolerations = pod["spec"].get("tolerations") or ()
    moments = []
    for taint in evicting:
        seconds = taints.seconds_tolerated(taint, tolerations)
        if seconds is not None:
            moments.append(parse_rfc3339(taint["timeAdded"]) + seconds if seconds else 0.0)
    return min(moments, default=None)


def _disrupted(pod: Object, now: float) -> Object:
    return conditions.with_condition(
        pod,
        "DisruptionTarget",
        "True",
        now,
        reason="DeletionByTaintManager",
        message="Taint manager: deleting due to NoExecute taint",
    )


def _of_pod(pod: Object, view: ReadView) -> Iterable[str]:
    name = pod["spec"].get("nodeName")
    node = view.get(RESOURCE, name) if name else None
    return (str(name),) if node is not None and _evicting(node) else ()


ROLE = Role(
    "taint-eviction-controller",
    plan,
    (
        itself(RESOURCE, unless_same(lambda node: (node.get("spec") or {}).get("taints"))),
        watches(
            "pods", _of_pod, unless_same(lambda p: (p["spec"].get("nodeName"), p["spec"].get("tolerations")))
        ),
    ),
    lambda view: view.keys(RESOURCE),
)
