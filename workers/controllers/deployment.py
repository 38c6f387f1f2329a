"""Deployment: one ReplicaSet per pod template, and the way from the old ones to the new one.

The order of a plan is that of k8s.io/kubernetes/pkg/controller/deployment: adopt; then either scale
(paused, or the size was changed during a rollout) or take the strategy's next step; then report.
Each ReplicaSet and the Deployment itself are written at most once in a plan.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.objects import pods
from app.objects.change import Object, ReadView, Write, create, delete, update
from app.objects.meta import controller_of, is_deleting
from workers.controllers import history, progress, recreate, rolling, scaling
from workers.controllers.adoption import adopted, matcher, orphans, released, takes
from workers.controllers.interests import itself, owns, unless_same, watches
from workers.controllers.rolling import Group, Limits
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

RESOURCE = "deployments.apps"
REPLICA_SETS = "replicasets.apps"


def plan(view: ReadView, key: str, now: float) -> Plan:
    """The next step of the Deployment's rollout, and its status."""
    deployment = view.get(RESOURCE, key)
    if deployment is None:
        return NOTHING
    claims = [] if is_deleting(deployment) else _claims(view, deployment)
    if claims:
        return Plan(tuple(claims), reason="adopts or releases ReplicaSets")
    limit = rolling.limits(deployment)
    every = history.in_order(history.held(view, deployment))
    new = history.find_new(deployment, every)
    old = [rs for rs in every if rs is not new]
    if is_deleting(deployment):
        return _report(deployment, deployment, new, every, limit, now, None, [], [])
    now_paused = progress.with_pause(deployment, now)
    if deployment["spec"].get("paused") or _was_scaled(every, limit):
        return _scale(deployment, now_paused, new, old, limit, now)
    return _roll(view, deployment, now_paused, new, old, limit, now)


def _claims(view: ReadView, deployment: Object) -> list[Write]:
    matches = matcher(deployment["spec"].get("selector"))
    namespace = deployment["metadata"]["namespace"]
    writes = [
        update(REPLICA_SETS, adopted(rs, deployment))
        for rs in orphans(view, REPLICA_SETS, namespace, matches)
    ]
    lost = [rs for rs in history.held(view, deployment) if not matches(rs) and not is_deleting(rs)]
    return writes + [update(REPLICA_SETS, released(rs, deployment)) for rs in lost]


def _was_scaled(every: Sequence[Object], limit: Limits) -> bool:
    return any(
        rs["spec"]["replicas"] > 0 and history.number(rs, history.DESIRED) not in (None, limit.replicas)
        for rs in every
    )


def _scale(
    before: Object, deployment: Object, new: Object | None, old: list[Object], limit: Limits, now: float
) -> Plan:
    every = [*old, *([new] if new else [])]
    remembered = {rs["metadata"]["name"]: history.number(rs, history.MOST) or 0 for rs in every}
    sizes = scaling.sizes(limit, _group(new) if new else None, [_group(rs) for rs in old], remembered)
    changed = []
    for rs in every:
        size = sizes.get(rs["metadata"]["name"], rs["spec"]["replicas"])
        # Whoever holds pods remembers the size asked for, or this would count as scaling for ever.
        if size != rs["spec"]["replicas"] or rs["spec"]["replicas"] > 0:
            after = history.scaled(rs, size, limit)
            if after is not rs:
                changed.append((rs, after))
    forgotten = history.forgettable(before, old) if before["spec"].get("paused") else []
    deployment = history.with_revision(deployment, history.revision(new) if new else 0)
    return _report(before, deployment, new, every, limit, now, None, changed, forgotten)


def _roll(
    view: ReadView,
    before: Object,
    deployment: Object,
    found: Object | None,
    old: list[Object],
    limit: Limits,
    now: float,
) -> Plan:
    collisions: int | None = None
    new: Object | None
    by_deadline = progress.deadline(deployment) is not None
    if found is None:
        new, collisions = history.made(view, deployment, old, limit)
    else:
        new = history.synced(found, deployment, old)
    name = new["metadata"]["name"]
    groups = [_group_of_pods(view, rs, now) for rs in old]
    own = (
        _group(new) if found is None or not any(g.at_most for g in groups) else _group_of_pods(view, new, now)
    )
    if (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
        left = recreate.pods_left(view, old)
        sizes = recreate.step(limit, own, groups, old_pods_left=left)
        if found is None and (left or any(group.wanted for group in groups)):
            new, collisions = None, None
    else:
        sizes = rolling.step(limit, own, groups)
    changed: list[tuple[Object | None, Object]] = []
    if new is not None:
        size = sizes.get(name, new["spec"]["replicas"])
        after = history.scaled(new, size, limit) if size != new["spec"]["replicas"] else new
        if after is not found:
            changed.append((found, after))
        if found is None and by_deadline:
            message = f'Created new replica set "{name}"'
            deployment = progress.progressing(deployment, "True", "NewReplicaSetCreated", message, now)
        elif by_deadline and not any(
            c["type"] == "Progressing" for c in (deployment.get("status") or {}).get("conditions") or ()
        ):
            message = f'Found new replica set "{name}"'
            deployment = progress.progressing(deployment, "True", "FoundNewReplicaSet", message, now)
        deployment = history.with_revision(deployment, history.revision(new))
    for rs in old:
        if rs["metadata"]["name"] in sizes:
            changed.append((rs, history.scaled(rs, sizes[rs["metadata"]["name"]], limit)))
    every = [*old, *([found] if found else [])]
    counted = progress.counted(deployment, found, every, limit, now, collisions)
    done = not changed and progress.is_complete(counted)
    forgotten = history.forgettable(deployment, old) if done else []
    return _report(before, deployment, found, every, limit, now, collisions, changed, forgotten)


def _report(
    before: Object,
    deployment: Object,
    new: Object | None,
    every: Sequence[Object],
    limit: Limits,
    now: float,
    collisions: int | None,
    changed: Sequence[tuple[Object | None, Object]],
    forgotten: Sequence[Object],
) -> Plan:
    """The plan that makes the changes and tells how things stand."""
    after = progress.counted(deployment, new, every, limit, now, collisions)
    if not deployment["spec"].get("paused"):
        after = progress.judged(before, after, new, now)
        after = progress.with_failure(after, new, every, now)
    writes: list[Write] = []
    events: list[EventNote] = []
    for was, rs in changed:
        writes.append(create(REPLICA_SETS, rs) if was is None else update(REPLICA_SETS, rs))
        events.extend(_scaled_event(before, was, rs))
    writes.extend(delete(REPLICA_SETS, rs) for rs in forgotten)
    if after != before:
        writes.append(update(RESOURCE, after))
    wait = progress.time_left(after, now)
    # Times on the wire are whole seconds: a second more, or the deadline would be met too early.
    return Plan(tuple(writes), tuple(events), None if wait is None else wait + 1, _reason(events))


def _scaled_event(deployment: Object, was: Object | None, rs: Object) -> list[EventNote]:
    size_before = was["spec"]["replicas"] if was else 0
    size = rs["spec"]["replicas"]
    if size == size_before:
        return []
    direction = "up" if size > size_before else "down"
    name = rs["metadata"]["name"]
    message = f"Scaled {direction} replica set {name} from {size_before} to {size}"
    return [EventNote(deployment, "ScalingReplicaSet", message)]


def _reason(events: Sequence[EventNote]) -> str:
    return "; ".join(event.message for event in events)


def _group(rs: Object) -> Group:
    status = rs.get("status") or {}
    return Group(
        rs["metadata"]["name"],
        rs["spec"]["replicas"],
        int(status.get("replicas") or 0),
        int(status.get("availableReplicas") or 0),
    )


def _group_of_pods(view: ReadView, rs: Object, now: float) -> Group:
    """As `_group`, counted from the pods themselves. During a rollout the status may be behind in
    either direction: pods were made since, or are no longer ready."""
    wait = rs["spec"].get("minReadySeconds") or 0
    active = [pod for pod in view.owned("pods", rs["metadata"]["uid"]) if pods.is_active(pod)]
    available = sum(pods.is_available(pod, wait, now) for pod in active)
    return Group(rs["metadata"]["name"], rs["spec"]["replicas"], len(active), available)


def _deployment_of_pod(pod: Object, view: ReadView) -> list[str]:
    """For Recreate, which waits for the last old pod to go."""
    owner = controller_of(pod)
    if owner is None or owner["kind"] != "ReplicaSet":
        return []
    namespace = pod["metadata"]["namespace"]
    rs = view.get(REPLICA_SETS, f"{namespace}/{owner['name']}")
    above = controller_of(rs) if rs else None
    if above is None or above["kind"] != "Deployment":
        return []
    key = f"{namespace}/{above['name']}"
    deployment = view.get(RESOURCE, key)
    strategy = (deployment or {}).get("spec", {}).get("strategy") or {}
    return [key] if strategy.get("type") == "Recreate" else []


def _own_facts(deployment: Object) -> object:
    """Not its status, which this role itself writes."""
    meta = deployment["metadata"]
    return deployment["spec"], meta.get("deletionTimestamp"), meta.get("annotations"), meta.get("labels")


def _pod_facts(pod: Object) -> object:
    return pods.is_terminal(pod)


ROLE = Role(
    "deployment-controller",
    plan,
    (
        itself(RESOURCE, unless_same(_own_facts)),
        owns(REPLICA_SETS, "Deployment"),
        takes(REPLICA_SETS, RESOURCE),
        watches("pods", _deployment_of_pod, unless_same(_pod_facts)),
    ),
    lambda view: view.keys(RESOURCE),
)
