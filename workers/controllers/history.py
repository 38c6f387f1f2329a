"""A Deployment's ReplicaSets as its history: which is the new one, revisions, what may be forgotten.

A rollback is nothing but an old template coming back: kubectl patches it into the Deployment, and the
ReplicaSet with that template is the new one again, under the next revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.objects.change import Object, ReadView
from app.objects.meta import annotations_of, controller_of, controller_reference, with_meta
from workers.controllers.rolling import Limits
from workers.controllers.template_hash import LABEL, same_template, template_hash

PREFIX = "deployment.kubernetes.io/"
REVISION = PREFIX + "revision"
HISTORY = PREFIX + "revision-history"
DESIRED = PREFIX + "desired-replicas"
MOST = PREFIX + "max-replicas"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
NOT_COPIED = frozenset({LAST_APPLIED, REVISION, HISTORY, DESIRED, MOST, "deprecated.deployment.rollback.to"})


def in_order(replica_sets: Iterable[Object]) -> list[Object]:
    """Oldest first."""
    return sorted(replica_sets, key=lambda rs: (rs["metadata"]["creationTimestamp"], rs["metadata"]["name"]))


def find_new(deployment: Object, replica_sets: Sequence[Object]) -> Object | None:
    """The ReplicaSet that makes the Deployment's pods; the oldest if there are several."""
    template = deployment["spec"]["template"]
    return next((rs for rs in replica_sets if same_template(rs["spec"]["template"], template)), None)


def revision(obj: Object) -> int:
    """The revision an annotation gives; 0 without one."""
    try:
        return int(annotations_of(obj).get(REVISION, "0"))
    except ValueError:
        return 0


def number(rs: Object, annotation: str) -> int | None:
    """A size that a ReplicaSet remembers; None if it doesn't, or not legibly."""
    try:
        return int(annotations_of(rs)[annotation])
    except (KeyError, ValueError):
        return None


def scaled(rs: Object, replicas: int, limit: Limits) -> Object:
    """The ReplicaSet with that size, remembering what its Deployment wanted; itself if all is so."""
    notes = {**annotations_of(rs), DESIRED: str(limit.replicas), MOST: str(limit.most)}
    if replicas == rs["spec"]["replicas"] and notes == annotations_of(rs):
        return rs
    return {**with_meta(rs, annotations=notes), "spec": {**rs["spec"], "replicas": replicas}}


def synced(rs: Object, deployment: Object, old: Sequence[Object]) -> Object:
    """The new ReplicaSet with the Deployment's annotations and minReadySeconds, and the highest
    revision; itself if it has them. A revision it had before is kept in its history."""
    notes = dict(annotations_of(rs))
    notes.update((k, v) for k, v in annotations_of(deployment).items() if k not in NOT_COPIED)
    before, after = revision(rs), max((revision(other) for other in old), default=0) + 1
    if before < after:
        if before:
            notes[HISTORY] = ",".join(filter(None, [notes.get(HISTORY, ""), str(before)]))
        notes[REVISION] = str(after)
    wait = deployment["spec"].get("minReadySeconds", 0)
    if notes == annotations_of(rs) and rs["spec"].get("minReadySeconds", 0) == wait:
        return rs
    return {**with_meta(rs, annotations=notes), "spec": {**rs["spec"], "minReadySeconds": wait}}


def made(view: ReadView, deployment: Object, old: Sequence[Object], limit: Limits) -> tuple[Object, int]:
    """A new ReplicaSet of size 0, and the count of collisions after which its name was free."""
    meta, spec = deployment["metadata"], deployment["spec"]
    collisions = int((deployment.get("status") or {}).get("collisionCount") or 0)
    while True:
        letters = template_hash(spec["template"], collisions)
        name = f"{meta['name'][: 252 - len(letters)]}-{letters}"
        if view.get("replicasets.apps", f"{meta['namespace']}/{name}") is None:
            break
        collisions += 1
    template_meta = spec["template"].get("metadata") or {}
    own = {**(template_meta.get("labels") or {}), LABEL: letters}
    selector = spec.get("selector") or {}
    notes = {k: v for k, v in annotations_of(deployment).items() if k not in NOT_COPIED}
    notes[REVISION] = str(max((revision(rs) for rs in old), default=0) + 1)
    notes[DESIRED], notes[MOST] = str(limit.replicas), str(limit.most)
    rs: Object = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "labels": own,
            "annotations": notes,
            "ownerReferences": [controller_reference(deployment)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": spec.get("minReadySeconds", 0),
            "selector": {
                **selector,
                "matchLabels": {**(selector.get("matchLabels") or {}), LABEL: letters},
            },
            "template": {**spec["template"], "metadata": {**template_meta, "labels": own}},
        },
        "status": {"replicas": 0},
    }
    if not rs["spec"]["minReadySeconds"]:
        del rs["spec"]["minReadySeconds"]
    return rs, collisions


def forgettable(deployment: Object, old: Sequence[Object]) -> list[Object]:
    """Old ReplicaSets beyond revisionHistoryLimit, of the lowest revisions, that hold no pods."""
    keep = deployment["spec"].get("revisionHistoryLimit")
    if keep is None:
        return []
    there = [rs for rs in old if not rs["metadata"].get("deletionTimestamp")]
    surplus = sorted(there, key=revision)[: max(0, len(there) - int(keep))]
    return [rs for rs in surplus if _is_empty(rs)]


def _is_empty(rs: Object) -> bool:
    status = rs.get("status") or {}
    seen = int(status.get("observedGeneration") or 0) >= int(rs["metadata"].get("generation") or 0)
    return seen and not rs["spec"]["replicas"] and not status.get("replicas")


def with_revision(deployment: Object, wanted: int) -> Object:
    """The Deployment with its revision annotation; itself if it has it."""
    if not wanted or annotations_of(deployment).get(REVISION) == str(wanted):
        return deployment
    return with_meta(deployment, annotations={**annotations_of(deployment), REVISION: str(wanted)})


def held(view: ReadView, deployment: Object) -> list[Object]:
    """The ReplicaSets that the Deployment controls."""
    uid = deployment["metadata"]["uid"]
    return [rs for rs in view.owned("replicasets.apps", uid) if (controller_of(rs) or {}).get("uid") == uid]
