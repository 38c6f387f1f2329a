"""Garbage collection: what nobody owns any more goes; foreground and orphan deletions are carried out.

Work is per owner, so that an owner's thousand dependents go in one plan. Two kinds of keys:
`absent/<uid>`: an owner is gone, what of its dependents?
`deleting/<resource>/<key>`: an object is deleted with the finalizer foregroundDeletion or orphan.
https://kubernetes.io/docs/concepts/architecture/garbage-collection/
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Change, Interest, Object, Operation, ReadView, Write, update
from app.objects.deletion import FOREGROUND, ORPHAN, Propagation, removal
from app.objects.meta import is_deleting, with_meta
from workers.controllers import owners
from workers.controllers.owners import Lookup
from workers.reconcile.plan import NOTHING, Plan, Role

NAME = "garbage-collector"


def role(lookup: Lookup) -> Role:
    """The role, for the kinds that `lookup` knows."""
    return Role(
        NAME,
        lambda view, key, now: plan(view, key, now, lookup),
        (Interest("*", lambda change, view: concerned(change, view, lookup)),),
        lambda view: all_keys(view, lookup),
    )


def plan(view: ReadView, key: str, now: float, lookup: Lookup) -> Plan:
    """What to delete, release or let go because of the owner that `key` names."""
    what, _, rest = key.partition("/")
    if what == "absent":
        writes = [w for res, k in view.dependents(rest) for w in _collect(view, res, k, rest, now, lookup)]
        return Plan(tuple(writes), reason="its owner is gone" if writes else "")
    resource, _, owner_key = rest.partition("/")
    owner = view.get(resource, owner_key)
    if owner is None or not is_deleting(owner):
        return NOTHING
    finalizers = owner["metadata"].get("finalizers") or ()
    if ORPHAN in finalizers:
        return _orphan(view, resource, owner)
    if FOREGROUND in finalizers:
        return _foreground(view, resource, owner, now, lookup)
    return NOTHING


def _collect(
    view: ReadView, resource: str, key: str, uid: str, now: float, lookup: Lookup
) -> Iterable[Write]:
    """One dependent of the owner `uid`, which is gone or waits for it: deleted if no other owner holds
    it, else it only forgets this one."""
    obj = view.get(resource, key)
    if obj is None or is_deleting(obj):
        return []
    namespace = owners.namespace_of(key)
    references = obj["metadata"].get("ownerReferences") or []
    states = [owners.state(view, reference, namespace, lookup) for reference in references]
    if all(
        state == "solid"
        for reference, state in zip(references, states, strict=True)
        if reference["uid"] == uid
    ):
        return []
    if "solid" in states:
        kept = [r for r, state in zip(references, states, strict=True) if state == "solid"]
        return [update(resource, with_meta(obj, ownerReferences=kept))]
    write = removal(resource, obj, now, propagation=_policy(view, obj, "waiting" in states))
    return [] if write is None else [write]


def _policy(view: ReadView, obj: Object, waiting: bool) -> Propagation:
    """What the object's own dependents are to expect: as its finalizers say; in the foreground if its
    owner waits for it and it has some."""
    finalizers = obj["metadata"].get("finalizers") or ()
    if ORPHAN in finalizers:
        return "Orphan"
    if FOREGROUND in finalizers or (waiting and view.dependents(obj["metadata"]["uid"])):
        return "Foreground"
    return "Background"


def _orphan(view: ReadView, resource: str, owner: Object) -> Plan:
    """Dependents forget the owner; only when none names it any more may it go, for a dependent that
    still did would be collected."""
    uid = owner["metadata"]["uid"]
    writes = []
    for res, key in view.dependents(uid):
        obj = view.get(res, key)
        if obj is not None:
            kept = [r for r in obj["metadata"]["ownerReferences"] if r["uid"] != uid]
            writes.append(update(res, with_meta(obj, ownerReferences=kept or None)))
    if writes:
        return Plan(tuple(writes), requeue_after=1.0, reason="dependents are orphaned")
    return Plan((update(resource, _without_finalizer(owner, ORPHAN)),), reason="no dependents left")


def _foreground(view: ReadView, resource: str, owner: Object, now: float, lookup: Lookup) -> Plan:
    """Dependents are deleted; the owner goes when none is left that blocks it."""
    uid = owner["metadata"]["uid"]
    writes: list[Write] = []
    blocked = False
    for res, key in view.dependents(uid):
        obj = view.get(res, key)
        if obj is None:
            continue
        references = obj["metadata"]["ownerReferences"]
        blocked = blocked or any(r["uid"] == uid and r.get("blockOwnerDeletion") for r in references)
        writes.extend(_collect(view, res, key, uid, now, lookup))
    if blocked:
        return Plan(tuple(writes), reason="dependents go first" if writes else "")
    return Plan(
        (update(resource, _without_finalizer(owner, FOREGROUND)),), reason="nothing blocks it any more"
    )


def _without_finalizer(obj: Object, finalizer: str) -> Object:
    kept = [f for f in obj["metadata"]["finalizers"] if f != finalizer]
    return with_meta(obj, finalizers=kept or None)


def concerned(change: Change, view: ReadView, lookup: Lookup) -> Iterable[str]:
    """The keys a change makes work for. Most changes make none, and are seen to make none by a look at
    their metadata."""
    meta = change.new["metadata"]
    references = meta.get("ownerReferences")
    if change.operation is Operation.DELETED:
        keys = [f"deleting/{place}" for place in _waiting_owners(change, references, view, lookup)]
        if view.dependents(meta["uid"]):
            keys.append(f"absent/{meta['uid']}")
        return keys
    keys = []
    old_references = change.old["metadata"].get("ownerReferences") if change.old else None
    if references and references != old_references:
        namespace = owners.namespace_of(change.key)
        for reference in references:
            if owners.state(view, reference, namespace, lookup) == "absent":
                keys.append(f"absent/{reference['uid']}")
        keys.extend(f"deleting/{place}" for place in _waiting_owners(change, references, view, lookup))
    if old_references and references != old_references:
        keys.extend(f"deleting/{place}" for place in _waiting_owners(change, old_references, view, lookup))
    if meta.get("deletionTimestamp") and _is_ours(meta.get("finalizers")):
        keys.append(f"deleting/{change.resource}/{change.key}")
    return keys


def _waiting_owners(
    change: Change, references: list[Object] | None, view: ReadView, lookup: Lookup
) -> Iterable[str]:
    """Owners whose foreground or orphan deletion this dependent held up."""
    for reference in references or ():
        place = owners.key_of_owner(view, reference, owners.namespace_of(change.key), lookup)
        owner = view.get(*place) if place else None
        if owner is not None and is_deleting(owner) and _is_ours(owner["metadata"].get("finalizers")):
            yield "/".join(place or ())


def _is_ours(finalizers: list[str] | None) -> bool:
    return finalizers is not None and (FOREGROUND in finalizers or ORPHAN in finalizers)


def all_keys(view: ReadView, lookup: Lookup) -> list[str]:
    """Every owner that is named and gone, and every object that is deleted with one of the finalizers."""
    found: dict[str, None] = {}
    solid: set[str] = set()
    for resource in view.resources():
        for key, obj in zip(view.keys(resource), view.list(resource), strict=True):
            meta = obj["metadata"]
            if meta.get("deletionTimestamp") and _is_ours(meta.get("finalizers")):
                found[f"deleting/{resource}/{key}"] = None
            for reference in meta.get("ownerReferences") or ():
                uid = reference["uid"]
                if uid in solid or f"absent/{uid}" in found:
                    continue
                if owners.state(view, reference, owners.namespace_of(key), lookup) == "absent":
                    found[f"absent/{uid}"] = None
                else:
                    solid.add(uid)
    return list(found)
