"""ReplicaSet: as many pods of one template as its spec wants.

The view a plan sees holds all earlier writes, so nothing need be remembered of what was asked before
(client-go's "expectations"): what is missing is created, what is too much is deleted, at once.
https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.objects import conditions, deletion, pods
from app.objects.change import Object, ReadView, Write, create, update
from app.objects.meta import is_deleting, labels
from workers.controllers import replicaset_status, victims
from workers.controllers.adoption import (
    Matches,
    adopted,
    label_selector_of,
    matcher,
    orphans,
    released,
    takes,
)
from workers.controllers.interests import itself, owns, unless_same
from workers.controllers.pod_template import pod_of
from workers.controllers.template_hash import short_hash
from workers.reconcile.plan import NOTHING, EventNote, Plan, Refusal, Role

RESOURCE = "replicasets.apps"
# As many Events as client-go lets one object send in a burst; a thousand lines saying the same help nobody.
EVENTS_AT_ONCE = 25


@dataclass(frozen=True, slots=True)
class Family:
    """A kind that keeps a number of equal pods: its resource, its name, the name of its role, the LabelSelector that
    an object of it stands for, and whether its status tells of pods that are terminating."""

    resource: str
    kind: str
    role: str
    selector: Callable[[Object], Object | None]
    tells_terminating: bool = False


REPLICA_SETS = Family(
    RESOURCE, "ReplicaSet", "replicaset-controller", label_selector_of, tells_terminating=True
)


def role(unreachable_toleration: int, family: Family = REPLICA_SETS) -> Role:
    """The role for one of the kinds; see `admitted_pod` for the first parameter."""

    def plan(view: ReadView, key: str, now: float) -> Plan:
        return plan_replica_set(view, key, now, unreachable_toleration, family)

    def refused(view: ReadView, key: str, refusals: Sequence[Refusal], now: float) -> list[Write]:
        rs = view.get(family.resource, key)
        return [] if rs is None else [update(family.resource, _refused(rs, refusals, now))]

    return Role(
        family.role,
        plan,
        (
            itself(family.resource, unless_same(_own_facts)),
            owns("pods", family.kind, unless_same(_pod_facts)),
            takes("pods", family.resource, family.selector),
        ),
        lambda view: view.keys(family.resource),
        refused,
    )


def _refused(rs: Object, refusals: Sequence[Refusal], now: float) -> Object:
    return replicaset_status.refused(rs, refusals[0].message, now)


def plan_replica_set(
    view: ReadView, key: str, now: float, unreachable_toleration: int, family: Family = REPLICA_SETS
) -> Plan:
    """Adopt and release, then create or delete pods until their number is right, and report."""
    rs = view.get(family.resource, key)
    if rs is None:
        return NOTHING
    matches = matcher(family.selector(rs))
    active, terminating, writes = _claim(view, rs, matches)
    missing = rs["spec"]["replicas"] - len(active)
    events: list[EventNote] = []
    if not is_deleting(rs):
        if missing > 0:
            _create(view, rs, missing, unreachable_toleration, writes, events)
        elif missing < 0:
            _delete(view, rs, active, -missing, now, writes, events)
    told = terminating if family.tells_terminating else None
    reported, wait = replicaset_status.reported(rs, active, told, now)
    if reported is not rs:
        writes.append(update(family.resource, reported))
    reason = f"{len(active)} of {rs['spec']['replicas']} pods" if writes else ""
    return Plan(tuple(writes), tuple(events), wait, reason)


def _claim(view: ReadView, rs: Object, matches: Matches) -> tuple[list[Object], int, list[Write]]:
    """The pods that count as replicas, how many more are terminating, and the writes that adopt and release."""
    active: list[Object] = []
    terminating = 0
    writes: list[Write] = []
    uid = rs["metadata"]["uid"]
    for pod in view.owned("pods", uid):
        if not _controls(uid, pod):
            continue
        if matches(pod):
            if pods.is_active(pod):
                active.append(pod)
            elif not pods.is_terminal(pod):
                terminating += 1
        elif not is_deleting(pod) and not is_deleting(rs):
            writes.append(update("pods", released(pod, rs)))
    if not is_deleting(rs):
        for pod in orphans(view, "pods", rs["metadata"]["namespace"], matches):
            if pods.is_active(pod):
                writes.append(update("pods", adopted(pod, rs)))
                active.append(pod)
    taken = {write.key for write in writes}
    if taken and len(active) > rs["spec"]["replicas"]:
        # A pod is written once in a plan: one adopted just now is a victim in the next.
        active = [p for p in active if f"{p['metadata']['namespace']}/{p['metadata']['name']}" not in taken]
    return active, terminating, writes


def _controls(uid: str, pod: Object) -> bool:
    """Whether `uid`, an owner of the pod, is its controller. Nearly every pod has one owner, and there are thousands."""
    owners = pod["metadata"]["ownerReferences"]
    first = owners[0]
    return (first["uid"] == uid and first.get("controller") is True) or any(
        owner["uid"] == uid and owner.get("controller") for owner in owners
    )


def _create(
    view: ReadView, rs: Object, count: int, toleration: int, writes: list[Write], events: list[EventNote]
) -> None:
    pod = pod_of(rs, rs["spec"]["template"], toleration)
    base = rs["metadata"]["name"][:57] + "-"
    common = {"generateName": base, **pod["metadata"]}
    for name in _names(view, rs, base, count):
        writes.append(create("pods", {**pod, "metadata": {"name": name, **common}}))
        if len(events) < EVENTS_AT_ONCE:
            events.append(EventNote(rs, "SuccessfulCreate", f"Created pod: {name}"))


def _names(view: ReadView, rs: Object, base: str, count: int) -> list[str]:
    """Names that the same plan on the same view draws again, so that doing it twice creates no pod
    twice: the second is refused because the name exists."""
    namespace = rs["metadata"]["namespace"]
    names: list[str] = []
    drawn: set[str] = set()
    position = 0
    while len(names) < count:
        name = base + short_hash([rs["metadata"]["uid"], view.revision, position], 5)
        position += 1
        if name not in drawn and view.get("pods", f"{namespace}/{name}") is None:
            drawn.add(name)
            names.append(name)
    return names


def _delete(
    view: ReadView,
    rs: Object,
    active: list[Object],
    count: int,
    now: float,
    writes: list[Write],
    events: list[EventNote],
) -> None:
    for pod in victims.choose(view, rs, active, count, now):
        write = deletion.removal("pods", pod, now)
        if write is None:
            continue
        writes.append(write)
        if len(events) < EVENTS_AT_ONCE:
            events.append(EventNote(rs, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}"))


def _own_facts(rs: Object) -> object:
    """Not its status, which this role itself writes."""
    meta = rs["metadata"]
    return rs["spec"], meta.get("deletionTimestamp"), (rs.get("status") or {}).get("observedGeneration")


def _pod_facts(pod: Object) -> object:
    """What of a pod its ReplicaSet counts."""
    meta = pod["metadata"]
    ready = conditions.get(pod, "Ready")
    return (
        meta.get("deletionTimestamp"),
        labels(pod),
        meta.get("ownerReferences"),
        (pod.get("status") or {}).get("phase") in pods.FINISHED,
        (ready.get("status") == "True" and ready.get("lastTransitionTime")) if ready else False,
    )
