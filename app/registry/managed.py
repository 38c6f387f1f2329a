"""Who owns which fields: kept with every write through the API (`metadata.managedFields`).

What it means is in app.objects.managed; https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.base.clock import rfc3339
from app.objects.change import Object
from app.objects.managed import entries as managers
from app.objects.managed.entries import Entries, Manager
from app.objects.managed.shape import Shape
from app.objects.managed.states import States, Versions
from app.objects.managed.update import updated
from app.objects.meta import with_meta
from app.registry import versions
from app.registry.request import Request
from app.schemas.decode import decode
from app.schemas.kinds import Kind
from app.schemas.shapes import shape_of

if TYPE_CHECKING:
    from app.registry.registry import Registry

# From the object as it was (None: there was none) and as it is to be, to the latter with its managers.
Track = Callable[["Registry", Request, Kind, Object | None, Object, str], Object]

# Managers' names are cut here, as user agents may be long. Characters.
NAME_MAX = 128
UNKNOWN = "unknown"


def tracked(
    registry: Registry, request: Request, kind: Kind, old: Object | None, new: Object, subresource: str = ""
) -> Object:
    """`new` with the managers it has after this request, which creates or updates it. Both objects are as they are
    stored; `kind` is the version that the client speaks. Asked before admission, as in Kubernetes: what that changes
    is nobody's.

    An object of which no account was kept from its creation on, such as one that a controller made, is not begun to be
    accounted for by an update: that is for `apply`.
    """
    if old is None:
        known: Entries = []
        asked = {k: v for k, v in new.items() if k != "status"} if "status" in kind.subresources else new
        states = States(None, asked, kind.api_version, versions_of(registry, kind))
    else:
        given = new["metadata"].get("managedFields")
        live = old["metadata"].get("managedFields")
        if given is None and live is None:
            return new
        known = _known(live or [], given, subresource)
        if not known:
            return with_meta(new, managedFields=None)
        states = States(old, new, kind.api_version, versions_of(registry, kind))
    who = Manager(name_of(request), "Update", kind.api_version, subresource)
    result = updated(known, states, who, rfc3339(registry.clock.now()))
    return with_meta(new, managedFields=result or None)


def _known(live: Entries, given: object, subresource: str) -> Entries:
    """The managers to begin with: those that the client sent along, if it may and they make sense; none, if it asks
    to forget them; else those of the object as it is."""
    if given is None or given == live or subresource:
        return live
    if managers.is_reset(given):
        return []
    try:
        return managers.decode(given) or live
    except ValueError:
        return live


def name_of(request: Request) -> str:
    """Who writes: as the client calls itself, else the first part of its User-Agent."""
    if request.field_manager:
        return request.field_manager
    agent = request.user_agent.partition("/")[0]
    return "".join(c for c in agent if c.isprintable())[:NAME_MAX] or UNKNOWN


def versions_of(registry: Registry, kind: Kind) -> Versions:
    """Finds the kind's objects in other versions."""

    def find(obj: Object, version: str) -> tuple[Object, Shape] | None:
        wanted = _version(registry, kind, version)
        if wanted is None:
            return None
        if obj.get("apiVersion") == version:
            return obj, shape_of(wanted)
        source = _version(registry, kind, obj["apiVersion"])
        if source is None:
            return None
        # While an apply merges and prunes, an object may still hold nulls, which conversions don't expect.
        known, _ = decode(source, obj)
        return versions.shown_object(wanted, versions.stored(source, known)), shape_of(wanted)

    return find


def _version(registry: Registry, kind: Kind, version: str) -> Kind | None:
    if version == kind.api_version:
        return kind
    if version == kind.storage.api_version:
        return kind.storage
    group, _, name = version.rpartition("/")
    found = registry.catalog.find(group, name, kind.plural)
    # Events are served in two groups.
    return found if found is not None and found.storage.resource == kind.storage.resource else None
