"""DaemonSet: one pod on each node that its template is for.

A plan first takes what belongs to the set (pods, revisions), then makes sure that there is a revision of its template,
and only then looks at the nodes: `daemon_steps` says which get a pod, and which pods go.

https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from app.objects import deletion, pods
from app.objects.change import Change, Interest, Object, ReadView, Write, create, key_of, update
from app.objects.meta import controller_of, is_deleting, labels
from workers.controllers import revisions, rolling
from workers.controllers.adoption import Matches, adopted, matcher, orphans, released, takes
from workers.controllers.daemon import status as daemon_status
from workers.controllers.daemon.nodes import new_pod, node_of
from workers.controllers.daemon.places import places_of, rested
from workers.controllers.daemon.steps import Limits, Place, steps
from workers.controllers.interests import declared, itself, owns, unless_same
from workers.controllers.replicaset import EVENTS_AT_ONCE
from workers.controllers.template_hash import short_hash
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

RESOURCE = "daemonsets.apps"
KIND = "DaemonSet"


def plan_daemon_set(view: ReadView, key: str, now: float, unreachable_toleration: int) -> Plan:
    """The next step towards a pod on each node."""
    daemon_set = view.get(RESOURCE, key)
    if daemon_set is None:
        return NOTHING
    matches = matcher(daemon_set["spec"].get("selector"))
    every = revisions.held(view, daemon_set)
    newest = revisions.find(daemon_set, every)
    if not is_deleting(daemon_set):
        claims = _claims(view, daemon_set, matches) + revisions.claims(view, daemon_set, matches)
        if claims:
            return Plan(tuple(claims), reason="adopts or releases")
        if newest is None:
            made = revisions.created(view, RESOURCE, daemon_set, every, revisions.POD_LABEL)
            return Plan(tuple(made), reason="a new revision")
    revision_hash = revisions.hash_of(newest, revisions.POD_LABEL) if newest else ""
    members = [pod for pod in _controlled(view, daemon_set) if matches(pod)]
    places, strays = places_of(view, daemon_set, members, revision_hash, now)
    writes: list[Write] = []
    events: list[EventNote] = []
    if newest is not None and not is_deleting(daemon_set):
        highest = revisions.newest(newest, every)
        if highest is not newest:
            writes.append(update(revisions.RESOURCE, highest))
        _act(
            view,
            daemon_set,
            members,
            places,
            strays,
            revision_hash,
            now,
            unreachable_toleration,
            writes,
            events,
        )
        carried = {labels(pod).get(revisions.POD_LABEL) for pod in members}
        live = {r["metadata"]["name"] for r in every if revisions.hash_of(r, revisions.POD_LABEL) in carried}
        writes += revisions.forgotten(daemon_set, every, {*live, newest["metadata"]["name"]})
    ready = frozenset(pod["metadata"]["name"] for pod in members if pods.is_ready(pod))
    reported = daemon_status.reported(daemon_set, places, ready)
    if reported is not daemon_set:
        writes.append(update(RESOURCE, reported))
    waits = [daemon_status.wait(daemon_set, members, now), rested(members, now)]
    soonest = min((wait for wait in waits if wait is not None), default=None)
    return Plan(tuple(writes), tuple(events), soonest, "; ".join(event.message for event in events[:3]))


def _claims(view: ReadView, daemon_set: Object, matches: Matches) -> list[Write]:
    """Adopt pods that match, release those that no longer do."""
    namespace = daemon_set["metadata"]["namespace"]
    writes = [update("pods", adopted(pod, daemon_set)) for pod in orphans(view, "pods", namespace, matches)]
    lost = [pod for pod in _controlled(view, daemon_set) if not matches(pod) and not is_deleting(pod)]
    return writes + [update("pods", released(pod, daemon_set)) for pod in lost]


def _controlled(view: ReadView, daemon_set: Object) -> list[Object]:
    uid = daemon_set["metadata"]["uid"]
    return [pod for pod in view.owned("pods", uid) if (controller_of(pod) or {}).get("uid") == uid]


def _limits(daemon_set: Object, places: Sequence[Place]) -> Limits | None:
    strategy = daemon_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return None
    settings = strategy.get("rollingUpdate") or {}
    wanted = sum(place.fit.gets for place in places)
    surge = rolling.share(settings.get("maxSurge", 0), wanted, up=True)
    unavailable = rolling.share(settings.get("maxUnavailable", 1), wanted, up=True)
    return Limits(surge, unavailable if surge or unavailable else 1)


def _act(
    view: ReadView,
    daemon_set: Object,
    members: Sequence[Object],
    places: Sequence[Place],
    strays: Sequence[str],
    revision_hash: str,
    now: float,
    unreachable_toleration: int,
    writes: list[Write],
    events: list[EventNote],
) -> None:
    """Make and delete pods."""
    todo = steps(places, _limits(daemon_set, places))
    for node in todo.make:
        name = _name(view, daemon_set, node)
        writes.append(create("pods", new_pod(daemon_set, revision_hash, name, node, unreachable_toleration)))
        if len(events) < EVENTS_AT_ONCE:
            events.append(EventNote(daemon_set, "SuccessfulCreate", f"Created pod: {name}"))
    going = {*todo.delete, *strays}
    for pod in members:
        write = deletion.removal("pods", pod, now) if pod["metadata"]["name"] in going else None
        if write is None:
            continue
        writes.append(write)
        if len(events) < EVENTS_AT_ONCE:
            events.append(_gone(daemon_set, pod))


def _gone(daemon_set: Object, pod: Object) -> EventNote:
    where = f"daemon pod {key_of(pod)} on node {node_of(pod)}"
    match (pod.get("status") or {}).get("phase"):
        case "Failed":
            text = f"Found failed {where}, will try to kill it"
            return EventNote(daemon_set, "FailedDaemonPod", text, "Warning")
        case "Succeeded":
            return EventNote(
                daemon_set, "SucceededDaemonPod", f"Found succeeded {where}, will try to delete it"
            )
    return EventNote(daemon_set, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")


def _name(view: ReadView, daemon_set: Object, node: str) -> str:
    """A name that the same plan on the same view draws again, so that doing it twice makes no pod twice."""
    meta = daemon_set["metadata"]
    position = 0
    while True:
        name = f"{meta['name'][:57]}-{short_hash([meta['uid'], node, view.revision, position], 5)}"
        if view.get("pods", f"{meta['namespace']}/{name}") is None:
            return name
        position += 1


def _pod_facts(pod: Object) -> object:
    meta, status = pod["metadata"], pod.get("status") or {}
    return (
        meta.get("deletionTimestamp"),
        meta.get("labels"),
        meta.get("ownerReferences"),
        pod["spec"].get("nodeName"),
        status.get("phase") in pods.FINISHED,
        pods.ready_since(pod),
    )


def _of_node(change: Change, view: ReadView) -> Iterable[str]:
    """A node that came, went, or that pods may now be for, or no longer."""
    return view.keys(RESOURCE) if unless_same(_node_facts)(change) else ()


def _node_facts(node: Object) -> object:
    meta = node["metadata"]
    return meta.get("labels"), meta.get("deletionTimestamp"), (node.get("spec") or {}).get("taints")


def role(unreachable_toleration: int) -> Role:
    """The role; see `admitted_pod` for its parameter."""
    return Role(
        "daemonset-controller",
        partial(plan_daemon_set, unreachable_toleration=unreachable_toleration),
        (
            itself(RESOURCE, unless_same(declared)),
            owns("pods", KIND, unless_same(_pod_facts)),
            takes("pods", RESOURCE),
            owns(revisions.RESOURCE, KIND),
            takes(revisions.RESOURCE, RESOURCE),
            Interest("nodes", _of_node),
        ),
        lambda view: view.keys(RESOURCE),
    )
