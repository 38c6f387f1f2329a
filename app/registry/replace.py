"""Replace: PUT of an object, or of its status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.base.errors import NotFound
from app.objects.change import Object
from app.registry import incoming, strategy, versions, write
from app.registry.request import Request
from app.schemas import validate
from app.schemas.faults import Faults
from app.schemas.kinds import Kind

if TYPE_CHECKING:
    from app.registry.registry import Registry


def replace(
    registry: Registry, request: Request, kind: Kind, namespace: str, name: str, raw: Any, subresource: str
) -> bytes:
    """Put `raw` in the place of the object; the JSON of what is stored then.

    With `subresource` "status" only the status changes; without, everything but the status.

    Raises:
        BadRequest, Invalid: it is not what it should be. NotFound: there is nothing to replace.
        Conflict: it names a version, and the object was changed since.
    """
    check_subresource(kind, subresource)
    sent = incoming.accept(request, kind, namespace, raw)
    incoming.check_name(sent, name)

    def changed(old: Object) -> Object:
        write.check_version(kind, old, sent)
        return settled_as(kind, old, sent, subresource, registry.clock.now())

    return write.modify(registry, request, kind, namespace, name, changed, subresource)


def settled_as(kind: Kind, old: Object, sent: Object, subresource: str, now: float = 0.0) -> Object:
    """What is stored when `sent`, an object of the version that `kind` is, comes to stand for `old`, which is as it is
    stored: `settled`, in the version whose rules count. For custom resources that is the one that was sent."""
    if kind.custom is not None and kind.api_version != kind.storage.api_version:
        return versions.stored(kind, settled(kind, versions.shown_object(kind, old), sent, subresource, now))
    return settled(kind.storage, old, versions.stored(kind, sent), subresource, now)


def settled(kind: Kind, old: Object, new: Object, subresource: str, now: float = 0.0) -> Object:
    """`new` with what this path can't change taken from `old`, validated. `now`: for kinds in which stands when
    something was said."""
    if subresource:
        new = strategy.for_subresource(kind, subresource, old, new, now)
    else:
        new = strategy.for_update(kind, old, new)
    validate.validate_update(kind, old, new, subresource)
    _check_finalizers(kind, old, new)
    return new


def _check_finalizers(kind: Kind, old: Object, new: Object) -> None:
    """An object on its way out can't be held back by a new finalizer. Raises Invalid."""
    meta = old["metadata"]
    if not meta.get("deletionTimestamp"):
        return
    added = [f for f in new["metadata"].get("finalizers") or () if f not in (meta.get("finalizers") or ())]
    if added:
        faults = Faults()
        found = ", ".join(f'"{finalizer}"' for finalizer in added)
        faults.forbidden(
            "metadata.finalizers",
            "no new finalizers can be added if the object is being deleted, "
            f"found new finalizers []string{{{found}}}",
        )
        faults.check(kind, meta["name"])


def check_subresource(kind: Kind, subresource: str) -> None:
    """Raises NotFound if the kind has no such subresource."""
    if subresource and subresource not in kind.subresources:
        raise NotFound("the server could not find the requested resource")
