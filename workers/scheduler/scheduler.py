"""The scheduler's role: one key, one pass over all pods that wait for a node.

Each bind is committed only if no other batch has bound to its node since this pass's view, so that any
number of schedulers may run; one that loses plans again.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import conditions, pods
from app.objects.change import Bind, Change, Interest, Object, Operation, ReadView, Write, update
from app.objects.persistent import CLAIMS, CLASSES, VOLUMES
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role
from workers.scheduler import state
from workers.scheduler.demand import is_waiting
from workers.scheduler.placement import decide

KEY = "pending"
NAME = "default-scheduler"
AGAIN = 0.1  # seconds


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Bind what can be bound, and tell the others why not."""
    decision = decide(view)
    if not decision.placed and not decision.refused and not decision.storage:
        return NOTHING
    writes: list[Write] = list(decision.storage)
    events: list[EventNote] = []
    binds: dict[str, Bind] = {}
    # Binds to one node lie together, so that a batch committed in pieces is cut at few nodes.
    for pod, node in sorted(decision.placed, key=lambda placed: placed[1]):
        bind = binds.get(node) or binds.setdefault(node, Bind(node, view.revision))
        meta = pod["metadata"]
        writes.append(update("pods", _bound(pod, node, now), bind=bind))
        message = f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}"
        events.append(EventNote(pod, "Scheduled", message))
    for pod, message in decision.refused:
        current = conditions.get(pod, "PodScheduled") or {}
        if current.get("status") == "False" and current.get("message") == message:
            continue
        told = conditions.with_condition(
            pod, "PodScheduled", "False", now, reason="Unschedulable", message=message
        )
        writes.append(update("pods", told))
        events.append(EventNote(pod, "FailedScheduling", message, "Warning"))
    reason = f"{len(decision.placed)} pods placed, {len(decision.refused)} not" if writes else ""
    # A pod placed now may be the company that another, looked at before it, waits for.
    again = AGAIN if decision.placed and any(p["spec"].get("affinity") for p, _ in decision.refused) else None
    return Plan(tuple(writes), tuple(events), again, reason)


def _bound(pod: Object, node: str, now: float) -> Object:
    told = conditions.with_condition(pod, "PodScheduled", "True", now)
    return {**told, "spec": {**pod["spec"], "nodeName": node}}


def _of_pod(change: Change, view: ReadView) -> Iterable[str]:
    """A pod that waits, new or with another spec; or one that gave up its room while others wait."""
    new, old = change.new, change.old
    if change.operation is Operation.DELETED:
        freed = bool(new["spec"].get("nodeName"))
        return (KEY,) if freed and view.any_on("") else ()
    if is_waiting(new):
        told = old is not None and old["spec"] == new["spec"] and _labels(old) == _labels(new)
        return () if told else (KEY,)
    if not new["spec"].get("nodeName") or not view.any_on(""):
        return ()
    ended = pods.is_terminal(new) and (old is None or not pods.is_terminal(old))
    return (KEY,) if ended or (old is not None and _resized(old, new)) else ()


def _resized(old: Object, new: Object) -> bool:
    """Whether what the pod takes of its node may have become less."""
    if not old["spec"].get("nodeName"):
        return False
    return state.asked_by(old) != state.asked_by(new)


def _of_node(change: Change, view: ReadView) -> Iterable[str]:
    """A node that may take more than before, while pods wait."""
    old, new = change.old, change.new
    same = change.operation is Operation.MODIFIED and old is not None and _facts(old) == _facts(new)
    return (KEY,) if not same and view.any_on("") else ()


def _facts(node: Object) -> object:
    spec, status = node.get("spec") or {}, node.get("status") or {}
    return spec.get("taints"), spec.get("unschedulable"), status.get("allocatable"), _labels(node)


def _labels(obj: Object) -> object:
    return obj["metadata"].get("labels")


def _of_storage(change: Change, view: ReadView) -> Iterable[str]:
    """Something about volumes, while pods wait that might be for them."""
    return (KEY,) if view.any_on("") else ()


ROLE = Role(
    NAME,
    plan,
    (
        Interest("pods", _of_pod),
        Interest("nodes", _of_node),
        *(Interest(resource, _of_storage) for resource in (CLAIMS, VOLUMES, CLASSES)),
    ),
    lambda view: [KEY],
)
