"""ControllerRevisions: the history of a StatefulSet or DaemonSet, one for each pod template it has had.

A revision's data is the patch that `kubectl rollout undo` sends, and that kubectl compares byte for byte with what it
makes itself; hence its fields in alphabetical order. Undoing is nothing but an old template coming back: its revision
is there already, and gets the highest number.

Rules: k8s.io/kubernetes/pkg/controller/history/controller_history.go
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from app.objects.change import Object, ReadView, Write, create, delete, update
from app.objects.meta import annotations_of, controller_of, controller_reference, is_deleting, labels
from workers.controllers.adoption import Matches, adopted, orphans, released
from workers.controllers.history import LAST_APPLIED
from workers.controllers.template_hash import LENGTH, short_hash

RESOURCE = "controllerrevisions.apps"
# On pods: of which revision they are.
POD_LABEL = "controller-revision-hash"
# A revision's name is the value of a label.
_LABEL_LENGTH = 63


def held(view: ReadView, owner: Object) -> list[Object]:
    """The revisions that `owner` controls, the oldest first. Whatever else somebody may have put there is left alone."""
    uid = owner["metadata"]["uid"]
    mine = [r for r in view.owned(RESOURCE, uid) if (controller_of(r) or {}).get("uid") == uid]
    found = [r for r in mine if _holds_template(r)]
    return sorted(found, key=lambda r: (number(r), r["metadata"]["creationTimestamp"], r["metadata"]["name"]))


def claims(view: ReadView, owner: Object, matches: Matches) -> list[Write]:
    """The writes that adopt orphaned revisions which match, and release those that no longer do."""
    namespace = owner["metadata"]["namespace"]
    writes = [
        update(RESOURCE, adopted(orphan, owner))
        for orphan in orphans(view, RESOURCE, namespace, matches)
        if _holds_template(orphan)
    ]
    lost = [r for r in held(view, owner) if not matches(r) and not is_deleting(r)]
    return writes + [update(RESOURCE, released(r, owner)) for r in lost]


def _holds_template(revision: Object) -> bool:
    value: Any = revision.get("data")
    for name in ("spec", "template"):
        value = value.get(name) if isinstance(value, dict) else None
    return isinstance(value, dict)


def number(revision: Object) -> int:
    """Its place in the history."""
    return int(revision.get("revision") or 0)


def data_of(template: Object) -> Object:
    """What a revision holds of a pod template."""
    ordered: Object = _in_order({"spec": {"template": {**template, "$patch": "replace"}}})
    return ordered


def template_of(revision: Object) -> Object:
    """The pod template that a revision holds."""
    template = revision["data"]["spec"]["template"]
    return {name: value for name, value in template.items() if name != "$patch"}


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_in_order(item) for item in value]
    return value


def find(owner: Object, revisions: Sequence[Object]) -> Object | None:
    """The revision of the owner's template; the newest if there are several."""
    wanted = data_of(owner["spec"]["template"])
    return next((r for r in reversed(revisions) if r.get("data") == wanted), None)


def newest(found: Object, revisions: Sequence[Object]) -> Object:
    """`found` as the last of its owner's revisions; itself if it is."""
    highest = max(number(r) for r in revisions)
    others = [number(r) for r in revisions if r is not found]
    if number(found) == highest and highest not in others:
        return found
    return {**found, "revision": highest + 1}


def made(view: ReadView, owner: Object, revisions: Sequence[Object], hash_label: str) -> tuple[Object, int]:
    """A new revision of the owner's template, and the count of collisions after which its name was free. Its hash
    stands in the label `hash_label`."""
    meta, template = owner["metadata"], owner["spec"]["template"]
    data = data_of(template)
    collisions = int((owner.get("status") or {}).get("collisionCount") or 0)
    while True:
        letters = short_hash((data, collisions), LENGTH)
        name = f"{meta['name'][: _LABEL_LENGTH - 1 - len(letters)]}-{letters}"
        if view.get(RESOURCE, f"{meta['namespace']}/{name}") is None:
            break
        collisions += 1
    notes = {k: v for k, v in annotations_of(owner).items() if k != LAST_APPLIED}
    revision: Object = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "labels": {**((template.get("metadata") or {}).get("labels") or {}), hash_label: letters},
            "ownerReferences": [controller_reference(owner)],
        },
        "data": data,
        "revision": max((number(r) for r in revisions), default=0) + 1,
    }
    if notes:
        revision["metadata"]["annotations"] = notes
    return revision, collisions


def created(
    view: ReadView, resource: str, owner: Object, revisions: Sequence[Object], hash_label: str
) -> list[Write]:
    """The writes that make the revision of the owner's template. Pods carry its name, so nothing else is done before
    it is there: its name might turn out to be taken."""
    revision, collisions = made(view, owner, revisions, hash_label)
    status = owner.get("status") or {}
    writes = [create(RESOURCE, revision)]
    if collisions != int(status.get("collisionCount") or 0):
        writes.append(update(resource, {**owner, "status": {**status, "collisionCount": collisions}}))
    return writes


def forgotten(owner: Object, revisions: Iterable[Object], live: Collection[str]) -> list[Write]:
    """The writes that delete the oldest revisions beyond revisionHistoryLimit; those whose names are in `live` stay
    and don't count."""
    limit = owner["spec"].get("revisionHistoryLimit")
    if limit is None:
        return []
    past = [r for r in revisions if r["metadata"]["name"] not in live and not is_deleting(r)]
    return [delete(RESOURCE, r) for r in past[: max(0, len(past) - int(limit))]]


def hash_of(revision: Object, hash_label: str) -> str:
    """The hash in its label; its name where somebody took the label away."""
    return labels(revision).get(hash_label) or str(revision["metadata"]["name"])
