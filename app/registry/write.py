"""Changing one object that exists: read, change, compare, commit; again if somebody was quicker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from app.base.errors import Conflict, ServiceUnavailable, modified, not_found, qualified
from app.objects import deletion, meta
from app.objects.change import Object, Verb, Write, key_of
from app.objects.claims import claims_of
from app.registry import addresses, admission, managed, read, versions
from app.registry.access import guard
from app.registry.request import Request
from app.schemas import validate
from app.schemas.faults import Faults
from app.schemas.kinds import Kind
from app.store.store import Committed, Rejected

if TYPE_CHECKING:
    from app.registry.registry import Registry

Changed = Callable[[Object], Object]

# What is the API's own in metadata: an update leaves it as it was.
SYSTEM = (
    "uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds",
)  # fmt: skip


_ALL_FIELDS = frozenset(("apiVersion", "kind", "metadata"))
_WITH_STATUS = _ALL_FIELDS | {"status"}


def modify(
    registry: Registry, request: Request, kind: Kind, namespace: str, name: str, changed: Changed,
    subresource: str = "", track: managed.Track = managed.tracked,
) -> bytes:  # fmt: skip
    """Replace an object by `changed(it)`; the JSON of what is stored then, in the version asked for.

    `changed` takes and gives the object as it is stored (`kind.storage`). It is asked anew whenever another write
    came between, so it must refuse by itself what was meant for one version only (`check_version`). If nothing
    differs, nothing is written. `track` says who owns which fields then. If the object is over (marked for deletion and nothing holds it any more), it is
    removed.

    Raises:
        NotFound: there is no such object; and whatever `changed` raises.
    """
    taken: set[str] = set()
    resource = kind.storage.resource
    for _ in range(addresses.ATTEMPTS + admission.CONTESTED):
        current = read.stored(registry, kind, namespace, name)
        found: Object = orjson.loads(current.body)
        old = versions.stored(kind, found)
        asked = track(registry, request, kind, old, _kept(kind, old, changed(old)), subresource)
        admitted = admission.of_update(registry, request, kind.storage, old, asked, subresource)
        if admitted.obj is not asked:
            asked = _kept(kind, old, admitted.obj)
            validate.validate_update(kind.storage, old, asked, subresource)
        new = addresses.assign(registry, resource, asked, taken)
        new = meta.with_generation(old, new, _counted(kind))
        if new == found:
            return versions.shown(kind, current.body)
        guard.check(registry, request, kind, old, new)
        admitted.validate(new)
        if request.dry_run:
            with admitted.charged(registry.quota_turns):
                pass
            return versions.shown(kind, orjson.dumps(new))
        with admitted.charged(registry.quota_turns) as stands:
            write = replace(update(resource, old, new, current.revision), guard=stands)
            result = registry.commit(request, [write])[0]
        if isinstance(result, Rejected) and result.why in admission.OUTDATED:
            registry.view.catch_up()
            continue
        if isinstance(result, Committed):
            return versions.shown(kind, result.body)
        if result.why == "absent":
            raise not_found(kind.group, kind.plural, name)
        if result.why == "claimed":
            addresses.refuse_if_asked_for(resource, asked, result.claim)
            if not taken:
                registry.view.catch_up()
            taken.add(result.claim)
    raise ServiceUnavailable(f"{kind.plural} {name!r} is written to all the time", retry_after=1)


def _counted(kind: Kind) -> frozenset[str] | None:
    """Fields whose changes `metadata.generation` doesn't count; None: it counts those of the spec. Of custom
    resources it counts all, but for a status that is a subresource."""
    if kind.custom is None:
        return None
    return _WITH_STATUS if "status" in kind.subresources else _ALL_FIELDS


def update(resource: str, old: Object, new: Object, revision: int) -> Write:
    """The write that makes `new` of `old`: a delete if that leaves it over. Names it no longer
    holds are given up, new ones taken."""
    before, after = claims_of(resource, old), claims_of(resource, new)
    if deletion.is_over(resource, new):
        return Write(Verb.DELETE, resource, key_of(new), new, expect=revision, releases=before)
    return Write(
        Verb.UPDATE,
        resource,
        key_of(new),
        new,
        expect=revision,
        claims=tuple(claim for claim in after if claim not in before),
        releases=tuple(claim for claim in before if claim not in after),
    )


def check_version(kind: Kind, old: Object, new: Object) -> None:
    """An object that names a version, or a uid, is meant for that one only.

    Raises:
        Conflict: the stored object is another. Invalid: what it names is no version.
    """
    stored, given = old["metadata"], new["metadata"]
    version, uid = given.get("resourceVersion"), given.get("uid")
    if uid and uid != stored["uid"]:
        raise Conflict(
            f'Operation cannot be fulfilled on {qualified(kind.plural, kind.group)} "{stored["name"]}": '
            f"Precondition failed: UID in precondition: {uid}, UID in object meta: {stored['uid']}",
            group=kind.group,
            resource=kind.plural,
            name=stored["name"],
        )
    if version and not (version.isascii() and version.isdigit()):
        faults = Faults()
        faults.invalid("metadata.resourceVersion", version, "must be a number that the server gave out")
        faults.check(kind, stored["name"])
    if version not in (None, "", "0") and version != stored["resourceVersion"]:
        raise modified(kind.group, kind.plural, stored["name"])


def _kept(kind: Kind, old: Object, new: Object) -> Object:
    """`new` with what is the API's own as it was."""
    before = old["metadata"]
    kept = {k: v for k, v in new["metadata"].items() if k not in SYSTEM}
    kept.update((k, before[k]) for k in (*SYSTEM, "resourceVersion") if k in before)
    return {**new, "metadata": kept}
