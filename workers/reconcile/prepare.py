"""From a plan's writes to what is committed: new objects completed, generations counted, what is over removed,
and what changes nothing left out. Pure but for the ids it draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.base.ids import Ids
from app.objects import jobs
from app.objects.change import Object, ReadView, Verb, Write, key_of
from app.objects.claims import claims_of
from app.objects.deletion import is_over
from app.objects.meta import complete, with_generation


def prepare(writes: Iterable[Write], view: ReadView, now: float, ids: Ids) -> list[Write]:
    """The writes to commit, in their order. `view` is the one they were planned on."""
    prepared = [_prepare(write, view, now, ids) for write in writes]
    return [write for write in prepared if write is not None]


def _prepare(write: Write, view: ReadView, now: float, ids: Ids) -> Write | None:
    if write.verb is Verb.CREATE:
        obj = complete(write.obj, now, ids)
        if write.resource == jobs.RESOURCE:
            obj = jobs.with_selector(obj)
        return replace(write, obj=obj, key=key_of(obj))
    if write.verb is Verb.DELETE:
        return _removed(write, write.obj)
    old = view.get(write.resource, write.key)
    obj = write.obj if old is None else with_generation(old, write.obj)
    if is_over(write.resource, obj):
        return _removed(write, obj)
    if old is not None and write.bind is None and not write.claims and not write.releases and _same(old, obj):
        return None
    return replace(write, obj=obj)


def _removed(write: Write, obj: Object) -> Write:
    """The write that removes `obj`, which gives up whatever it held."""
    held = dict.fromkeys((*write.releases, *claims_of(write.resource, obj)))
    return replace(write, verb=Verb.DELETE, obj=obj, releases=tuple(held))


def _same(old: Object, new: Object) -> bool:
    """Whether an update would change nothing but the revision; Kubernetes writes none then either."""
    if old is new:
        return True
    if {k: v for k, v in old.items() if k != "metadata"} != {k: v for k, v in new.items() if k != "metadata"}:
        return False
    return _without_revision(old) == _without_revision(new)


def _without_revision(obj: Object) -> Object:
    return {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}
