"""Node lifecycle: noticing that a node no longer answers, and saying so where it matters.

A node answers by renewing its Lease. When it hasn't for `grace` seconds, its conditions become
Unknown, taints keep new pods away and, in time, evict those it has (see `taint_eviction`), and its
pods are marked not ready at once, so that no Service sends requests there.

A node whose silence nobody noticed when it was due is given the time once more: most likely the whole
cluster was off, or its store, and the agents are about to come back. An annotation says since when.
https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
"""

from __future__ import annotations

from collections.abc import Iterable

from app.base.clock import parse_rfc3339, rfc3339
from app.objects import conditions, meta, pods, taints
from app.objects.change import Change, Interest, Object, Operation, ReadView, Write, split_key, update
from workers.controllers.interests import itself, unless_same
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

RESOURCE = "nodes"
LEASES = "leases.coordination.k8s.io"
LEASE_NAMESPACE = "kube-node-lease"
CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
REASON = "NodeStatusUnknown"
MESSAGE = "The node's agent stopped posting node status."
LOOKED_AT = "beanpole.dev/silence-noticed-at"
# This much later than due, noticing counts as late. Seconds.
LATE = 10.0
# Taints of which this role alone decides, with what they stand for.
OWN = (taints.NOT_READY, taints.UNREACHABLE, taints.UNSCHEDULABLE, *taints.PRESSURES.values())


def role(grace: float) -> Role:
    """The role; `grace` is the time in seconds after which a silent node counts as gone."""
    return Role(
        "node-controller",
        lambda view, key, now: plan(view, key, now, grace),
        (itself(RESOURCE, unless_same(_facts)), Interest(LEASES, _of_lease)),
        lambda view: view.keys(RESOURCE),
    )


def plan(view: ReadView, key: str, now: float, grace: float) -> Plan:
    """Judge one node by its Lease and its own word, and mark it and its pods."""
    node = view.get(RESOURCE, key)
    if node is None or meta.is_deleting(node):
        return NOTHING
    heard = _last_heard(view, node)
    silence = now - heard
    silent = silence >= grace
    if silent and conditions.is_true(node, "Ready"):
        noticed = _noticed_at(node, heard)
        if noticed is None and silence > grace + LATE:
            return Plan((update(RESOURCE, _noticed(node, now)),), (), grace, "nobody looked for a while")
        if noticed is not None and now - noticed < grace:
            return Plan(requeue_after=grace - (now - noticed))
    wait = None if silent else grace - silence
    judged = _noticed(_unknown(node, now) if silent else node, None)
    # A node that has not said anything yet is not ready, which is no news.
    said = conditions.get(judged, "Ready")
    ready = said["status"] if said else "False"
    news = said is not None and (conditions.is_true(node, "Ready") or not _has_own_taint(node))
    after = _tainted(judged, ready, now)
    writes: list[Write] = []
    events: list[EventNote] = []
    if after is not node:
        writes.append(update(RESOURCE, after))
    if ready != "True" and after is not node and news:
        events.append(EventNote(node, "NodeNotReady", f"Node {key} status is now: NodeNotReady"))
    if ready == "Unknown" or (ready != "True" and after is not node):
        # A node that answers reports on its pods itself; its word on them stands afterwards.
        for pod in view.on_node(key):
            if pods.is_ready(pod):
                writes.append(
                    update(
                        "pods", conditions.with_condition(pod, "Ready", "False", now, reason="NodeNotReady")
                    )
                )
                events.append(EventNote(pod, "NodeNotReady", "Node is not ready", "Warning"))
    return Plan(
        tuple(writes), tuple(events), wait, f"node is {ready}, silent for {silence:.0f} s" if writes else ""
    )


def _last_heard(view: ReadView, node: Object) -> float:
    """When the node last renewed its Lease; without one, when it was last heard of otherwise."""
    lease = view.get(LEASES, f"{LEASE_NAMESPACE}/{node['metadata']['name']}")
    renewed = (lease or {}).get("spec", {}).get("renewTime")
    if renewed:
        return parse_rfc3339(renewed)
    heartbeat = (conditions.get(node, "Ready") or {}).get("lastHeartbeatTime")
    return parse_rfc3339(heartbeat or node["metadata"]["creationTimestamp"])


def _noticed_at(node: Object, heard: float) -> float | None:
    """When somebody found the node silent too late, if that was since it was last heard."""
    text = meta.annotations_of(node).get(LOOKED_AT)
    at = parse_rfc3339(text) if text else None
    return at if at is not None and at > heard else None


def _noticed(node: Object, now: float | None) -> Object:
    """The node with or, for None, without the note; itself if that is so."""
    notes = dict(meta.annotations_of(node))
    if now is None:
        if LOOKED_AT not in notes:
            return node
        del notes[LOOKED_AT]
    else:
        notes[LOOKED_AT] = rfc3339(now)
    return meta.with_meta(node, annotations=notes or None)


def _unknown(node: Object, now: float) -> Object:
    for type_ in CONDITIONS:
        current = conditions.get(node, type_)
        if current is not None and current["status"] == "Unknown":
            continue
        heard = (current or {}).get("lastHeartbeatTime") or node["metadata"]["creationTimestamp"]
        node = conditions.with_condition(
            node, type_, "Unknown", now, reason=REASON, message=MESSAGE, lastHeartbeatTime=heard
        )
    return node


def _has_own_taint(node: Object) -> bool:
    given = (node.get("spec") or {}).get("taints") or ()
    return any(taint["key"] in (taints.NOT_READY, taints.UNREACHABLE) for taint in given)


def _tainted(node: Object, ready: str, now: float) -> Object:
    """The node with the taints its conditions call for; itself if it has them."""
    spec = node.get("spec") or {}
    given = spec.get("taints") or []
    wanted = []
    if spec.get("unschedulable"):
        wanted.append((taints.UNSCHEDULABLE, taints.NO_SCHEDULE))
    wanted += [
        (taint, taints.NO_SCHEDULE)
        for condition, taint in taints.PRESSURES.items()
        if conditions.is_true(node, condition)
    ]
    if ready != "True":
        key = taints.UNREACHABLE if ready == "Unknown" else taints.NOT_READY
        wanted += [(key, taints.NO_SCHEDULE), (key, taints.NO_EXECUTE)]
    result = [t for t in given if t["key"] not in OWN or (t["key"], t["effect"]) in wanted]
    there = {(t["key"], t["effect"]) for t in result}
    result += [
        {"key": key, "effect": effect, "timeAdded": rfc3339(now)}
        for key, effect in wanted
        if (key, effect) not in there
    ]
    if result == given:
        return node
    after = {**node, "spec": {**spec, "taints": result}}
    if not result:
        del after["spec"]["taints"]
    return after


def _facts(node: Object) -> object:
    ready = conditions.get(node, "Ready") or {}
    spec = node.get("spec") or {}
    short = [conditions.is_true(node, condition) for condition in taints.PRESSURES]
    return ready.get("status"), spec.get("unschedulable"), spec.get("taints"), short


def _of_lease(change: Change, view: ReadView) -> Iterable[str]:
    """A renewal only matters for a node that counted as silent; the due time of the last look
    finds those that fall silent."""
    namespace, name = split_key(change.key)
    if namespace != LEASE_NAMESPACE:
        return ()
    node = view.get(RESOURCE, name)
    if node is None:
        return ()
    known = change.operation is Operation.MODIFIED and conditions.is_true(node, "Ready")
    return () if known else (name,)
