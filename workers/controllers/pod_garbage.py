"""Pods that nobody will ever finish: those of a node that is gone, and too many that are done.

Keys: `node/<name>`, and `finished`.
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import conditions, deletion, pods
from app.objects.change import Change, Interest, Object, Operation, ReadView, Write
from app.objects.meta import is_deleting
from workers.controllers.interests import unless_same, watches
from workers.reconcile.plan import NOTHING, Plan, Role

FINISHED = "finished"
# kube-controller-manager --terminated-pod-gc-threshold
MOST_FINISHED = 12_500
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Remove for good what no agent will."""
    what, _, name = key.partition("/")
    if what == FINISHED:
        return _of_finished(view, now)
    node = view.get("nodes", name)
    if node is None:
        lost = view.on_node(name)
    elif _is_out_of_service(node):
        lost = [pod for pod in view.on_node(name) if is_deleting(pod)]
    else:
        return NOTHING
    writes = _removals(lost, now)
    return Plan(writes, reason=f"node {name} is gone" if writes else "")


def _of_finished(view: ReadView, now: float) -> Plan:
    done = [pod for pod in view.list("pods") if pods.is_terminal(pod) and not is_deleting(pod)]
    surplus = len(done) - MOST_FINISHED
    if surplus <= 0:
        return NOTHING
    done.sort(key=lambda pod: pod["metadata"]["creationTimestamp"])
    return Plan(_removals(done[:surplus], now), reason=f"{len(done)} pods are done")


def _removals(lost: Iterable[Object], now: float) -> tuple[Write, ...]:
    writes = (deletion.removal("pods", _ended(pod, now), now, grace=0) for pod in lost)
    return tuple(write for write in writes if write is not None)


def _ended(pod: Object, now: float) -> Object:
    """The pod as failed, if it had not ended: nobody else will say so, and a Job may wait for it."""
    if pods.is_terminal(pod):
        return pod
    failed = {**pod, "status": {**(pod.get("status") or {}), "phase": "Failed"}}
    message = "PodGC: node no longer exists"
    return conditions.with_condition(
        failed, "DisruptionTarget", "True", now, reason="DeletionByPodGC", message=message
    )


def _is_out_of_service(node: Object) -> bool:
    """Whether somebody vouches that the node is off, so that nothing on it runs any more."""
    given = (node.get("spec") or {}).get("taints") or ()
    return not conditions.is_true(node, "Ready") and any(t["key"] == OUT_OF_SERVICE for t in given)


def _of_node(change: Change, view: ReadView) -> Iterable[str]:
    gone = change.operation is Operation.DELETED
    return (f"node/{change.key}",) if gone or _is_out_of_service(change.new) else ()


def _of_pod(pod: Object, view: ReadView) -> Iterable[str]:
    name = pod["spec"].get("nodeName")
    if not name:
        return ()
    node = view.get("nodes", name)
    lost = node is None or (is_deleting(pod) and _is_out_of_service(node))
    return (f"node/{name}",) if lost else ()


def _keys(view: ReadView) -> list[str]:
    names = {pod["spec"].get("nodeName") for pod in view.list("pods")} | set(view.keys("nodes"))
    return [FINISHED, *(f"node/{name}" for name in sorted(filter(None, names)))]


ROLE = Role(
    "pod-garbage-collector",
    plan,
    (
        Interest("nodes", _of_node),
        watches(
            "pods",
            _of_pod,
            unless_same(lambda pod: (pod["spec"].get("nodeName"), pod["metadata"].get("deletionTimestamp"))),
        ),
    ),
    _keys,
)
