"""StatefulSet: pods that each keep a name, a number and storage of their own.

A plan first takes what belongs to the set (pods, revisions), then makes sure that there is a revision of its template,
and only then looks at the pods: `stateful_steps` says which to make and delete. What else members need is done along
the way: their labels, their claims, and the claims' owners.

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from app.objects import pods
from app.objects.change import Change, Interest, Object, Operation, ReadView, Write, key_of, update
from app.objects.meta import controller_of, is_deleting, labels
from workers.controllers import revisions
from workers.controllers.adoption import Matches, adopted, matcher, orphans, released, takes
from workers.controllers.interests import declared, itself, owns, unless_same, watches
from workers.controllers.stateful import claims as stateful_claims
from workers.controllers.stateful import status as stateful_status
from workers.controllers.stateful.acts import History, act
from workers.controllers.stateful.identity import ordinal, parted
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

RESOURCE = "statefulsets.apps"
KIND = "StatefulSet"
# On revisions. A pod carries a revision's name.
HASH_LABEL = "controller.kubernetes.io/hash"


def plan_stateful_set(view: ReadView, key: str, now: float, unreachable_toleration: int) -> Plan:
    """The next step towards the pods that the set wants."""
    stateful_set = view.get(RESOURCE, key)
    if stateful_set is None:
        return NOTHING
    matches = matcher(stateful_set["spec"].get("selector"))
    every = revisions.held(view, stateful_set)
    if not is_deleting(stateful_set):
        claims = _claims(view, stateful_set, matches) + revisions.claims(view, stateful_set, matches)
        if claims:
            return Plan(tuple(claims), reason="adopts or releases")
        if revisions.find(stateful_set, every) is None:
            made = revisions.created(view, RESOURCE, stateful_set, every, HASH_LABEL)
            return Plan(tuple(made), reason="a new revision")
    history = _history(stateful_set, every)
    if history is None:
        return NOTHING
    members = _members(view, stateful_set, matches)
    reported, wait = stateful_status.reported(stateful_set, list(members.values()), *history.names, now)
    writes: list[Write] = []
    events: list[EventNote] = []
    if not is_deleting(stateful_set):
        found = history.newest
        newest = revisions.newest(found, every)
        if newest is not found:
            writes.append(update(revisions.RESOURCE, newest))
        act(view, stateful_set, members, history, now, unreachable_toleration, writes, events)
        # As the status says from now on: what an update has just got through with is history.
        live = {reported["status"][name] for name in ("currentRevision", "updateRevision")}
        live.update(labels(pod).get(revisions.POD_LABEL, "") for pod in members.values())
        writes += revisions.forgotten(stateful_set, every, live)
    if reported is not stateful_set:
        writes.append(update(RESOURCE, reported))
    return Plan(tuple(writes), tuple(events), wait, "; ".join(event.message for event in events[:3]))


def _claims(view: ReadView, stateful_set: Object, matches: Matches) -> list[Write]:
    """Adopt pods that match and have a member's name; release members that no longer match."""
    namespace = stateful_set["metadata"]["namespace"]
    writes = [
        update("pods", adopted(pod, stateful_set))
        for pod in orphans(view, "pods", namespace, matches)
        if ordinal(stateful_set, pod) is not None
    ]
    lost = [pod for pod in _controlled(view, stateful_set) if not matches(pod) and not is_deleting(pod)]
    return writes + [update("pods", released(pod, stateful_set)) for pod in lost]


def _controlled(view: ReadView, stateful_set: Object) -> list[Object]:
    uid = stateful_set["metadata"]["uid"]
    return [pod for pod in view.owned("pods", uid) if (controller_of(pod) or {}).get("uid") == uid]


def _members(view: ReadView, stateful_set: Object, matches: Matches) -> dict[int, Object]:
    """The set's pods by their numbers, in order."""
    found = {
        number: pod
        for pod in _controlled(view, stateful_set)
        if matches(pod) and (number := ordinal(stateful_set, pod)) is not None
    }
    return dict(sorted(found.items()))


def _history(stateful_set: Object, every: Sequence[Object]) -> History | None:
    newest = revisions.find(stateful_set, every) or (every[-1] if every else None)
    if newest is None:
        return None
    name = (stateful_set.get("status") or {}).get("currentRevision")
    current = next((r for r in every if r["metadata"]["name"] == name), newest)
    return History(every, newest, current)


def _pod_facts(pod: Object) -> object:
    meta, status = pod["metadata"], pod.get("status") or {}
    return (
        meta.get("deletionTimestamp"),
        meta.get("labels"),
        meta.get("ownerReferences"),
        status.get("phase"),
        pods.ready_since(pod),
    )


def _by_name(change: Change, view: ReadView) -> Iterable[str]:
    """A pod that came or went under a name that a set may want."""
    if change.operation is Operation.MODIFIED:
        return ()
    namespace, _, name = change.key.rpartition("/")
    found = parted(name)
    key = f"{namespace}/{found[0]}" if found else ""
    return (key,) if key and view.get(RESOURCE, key) is not None else ()


def _of_claim(claim: Object, view: ReadView) -> list[str]:
    """The sets of whose claims its name may be one."""
    meta = claim["metadata"]
    found = parted(meta["name"])
    if found is None:
        return []
    return [
        key_of(stateful_set)
        for stateful_set in view.list(RESOURCE, meta["namespace"])
        for template in stateful_set["spec"].get("volumeClaimTemplates") or ()
        if found[0] == f"{template['metadata']['name']}-{stateful_set['metadata']['name']}"
    ]


def _claim_facts(claim: Object) -> object:
    return claim["metadata"].get("deletionTimestamp"), claim["metadata"].get("ownerReferences")


def role(unreachable_toleration: int) -> Role:
    """The role; see `admitted_pod` for its parameter."""
    return Role(
        "statefulset-controller",
        partial(plan_stateful_set, unreachable_toleration=unreachable_toleration),
        (
            itself(RESOURCE, unless_same(declared)),
            owns("pods", KIND, unless_same(_pod_facts)),
            takes("pods", RESOURCE),
            Interest("pods", _by_name),
            owns(revisions.RESOURCE, KIND),
            takes(revisions.RESOURCE, RESOURCE),
            watches(stateful_claims.RESOURCE, _of_claim, unless_same(_claim_facts)),
        ),
        lambda view: view.keys(RESOURCE),
    )
