"""Create: POST of an object to its collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from app.base.errors import (
    AlreadyExists,
    BadRequest,
    Forbidden,
    Invalid,
    ServiceUnavailable,
    already_exists,
)
from app.objects import change, meta
from app.objects.change import Object
from app.objects.claims import claims_of
from app.registry import addresses, admission, definitions, incoming, managed, strategy, versions
from app.registry.access import guard
from app.registry.request import Request
from app.schemas import validate
from app.schemas.kinds import Kind
from app.store.store import Committed

if TYPE_CHECKING:
    from app.registry.registry import Registry

# How many suffixes are drawn for a generateName before giving up, as kube-apiserver does.
NAMES_TRIED = 8


def create(
    registry: Registry, request: Request, kind: Kind, namespace: str, raw: Any,
    track: managed.Track = managed.tracked,
) -> bytes:  # fmt: skip
    """Store a new object; its JSON as stored. `track` says who owns its fields.

    Raises:
        BadRequest, Invalid: it is not what it should be. NotFound, Forbidden: its namespace is not
            there, or going. AlreadyExists: its name is taken.
    """
    obj = incoming.accept(request, kind, namespace, raw)
    given = obj["metadata"]
    if given.get("resourceVersion") not in (None, ""):
        raise BadRequest("resourceVersion should not be set on objects to be created")
    definitions.check_served(registry, kind)
    if kind.notice:
        request.warnings.append(kind.notice)
    if kind.api_version != kind.storage.api_version:
        obj = strategy.for_create(registry, kind, obj, request) if kind.custom is not None else obj
        validate.validate_version(kind, obj)
    storage, obj = kind.storage, track(registry, request, kind, None, versions.stored(kind, obj), "")
    try:
        made = store_new(registry, request, storage, strategy.for_create(registry, storage, obj, request))
        return versions.shown(kind, made)
    except (Invalid, Forbidden):
        # The commit asks for the namespace; what doesn't get that far is refused for the namespace first, too.
        admission.check_namespace(registry, kind, obj)
        raise


def store_new(registry: Registry, request: Request, kind: Kind, obj: Object) -> bytes:
    """Complete, validate and commit an object that is otherwise ready; its JSON as stored."""
    generated = not obj["metadata"].get("name")
    taken: set[str] = set()
    names = 0
    admitted = admission.of_create(registry, request, kind, obj)
    for _ in range(addresses.ATTEMPTS + admission.CONTESTED):
        new = strategy.named(kind, _completed(registry, kind, admitted.obj))
        new = addresses.assign(registry, kind.resource, new, taken)
        validate.validate(kind, new)
        guard.check(registry, request, kind, None, new)
        admitted.validate(new)
        name = new["metadata"]["name"]
        if request.dry_run:
            with admitted.charged(registry.quota_turns):
                pass
            admission.check_namespace(registry, kind, new)
            if registry.store.get(kind.resource, change.key_of(new)) is not None:
                raise already_exists(kind.group, kind.plural, name)
            return orjson.dumps(new)
        claims = claims_of(kind.resource, new)
        home = new["metadata"].get("namespace", "")
        with admitted.charged(registry.quota_turns) as stands:
            write = change.create(kind.resource, new, claims=claims, within=home, guard=stands)
            result = registry.commit(request, [write, *admission.beside(kind, new, registry)])[0]
        if isinstance(result, Committed):
            return result.body
        if result.why in admission.OUTDATED:
            registry.view.catch_up()
            definitions.check_served(registry, kind)
            admitted = admission.of_create(registry, request, kind, obj)
            continue
        if result.why == "claimed":
            addresses.refuse_if_asked_for(kind.resource, obj, result.claim)
            if not taken:
                registry.view.catch_up()
            taken.add(result.claim)
            continue
        if result.why == "namespace":
            admission.check_namespace(registry, kind, new)
            continue  # it came just now
        names += 1
        if not generated:
            raise already_exists(kind.group, kind.plural, name)
        if names == NAMES_TRIED:
            raise _no_unique_name(kind, name)
    raise ServiceUnavailable("addresses are given out faster than they can be drawn", retry_after=1)


def _completed(registry: Registry, kind: Kind, obj: Object) -> Object:
    new = meta.complete(obj, registry.clock.now(), registry.ids)
    if kind.custom is not None:
        new["metadata"]["generation"] = 1
    new["metadata"].setdefault("name", "")
    return new


def _no_unique_name(kind: Kind, name: str) -> AlreadyExists:
    taken = already_exists(kind.group, kind.plural, name)
    return AlreadyExists(
        f"{taken.message}, the server was not able to generate a unique name for the object",
        group=kind.group,
        resource=kind.plural,
        name=name,
        retry_after=1,
    )
