"""Create: POST of an object to its collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from app.base.errors import AlreadyExists, BadRequest, Invalid, ServiceUnavailable, already_exists
from app.objects import change, meta
from app.objects.change import Object
from app.objects.claims import claims_of
from app.registry import addresses, admission, incoming, strategy
from app.registry.request import Request
from app.schemas import validate
from app.schemas.kinds import Kind
from app.store.store import Committed

if TYPE_CHECKING:
    from app.registry.registry import Registry

# How many suffixes are drawn for a generateName before giving up, as kube-apiserver does.
NAMES_TRIED = 8


def create(registry: Registry, request: Request, kind: Kind, namespace: str, raw: Any) -> bytes:
    """Store a new object; its JSON as stored.

    Raises:
        BadRequest, Invalid: it is not what it should be. NotFound, Forbidden: its namespace is not
            there, or going. AlreadyExists: its name is taken.
    """
    obj = incoming.accept(request, kind, namespace, raw)
    given = obj["metadata"]
    if given.get("resourceVersion") not in (None, ""):
        raise BadRequest("resourceVersion should not be set on objects to be created")
    try:
        return store_new(registry, request, kind, strategy.for_create(registry, kind, obj))
    except Invalid:
        # The commit asks for the namespace; what doesn't get that far is refused for the namespace first, too.
        admission.check_namespace(registry, kind, obj)
        raise


def store_new(registry: Registry, request: Request, kind: Kind, obj: Object) -> bytes:
    """Complete, validate and commit an object that is otherwise ready; its JSON as stored."""
    generated = not obj["metadata"].get("name")
    taken: set[str] = set()
    names = 0
    for _ in range(addresses.ATTEMPTS):
        new = strategy.named(kind, _completed(registry, obj))
        new = addresses.assign(registry, kind.resource, new, taken)
        validate.validate(kind, new)
        name = new["metadata"]["name"]
        if request.dry_run:
            admission.check_namespace(registry, kind, new)
            if registry.store.get(kind.resource, change.key_of(new)) is not None:
                raise already_exists(kind.group, kind.plural, name)
            return orjson.dumps(new)
        claims = claims_of(kind.resource, new)
        write = change.create(kind.resource, new, claims=claims, within=new["metadata"].get("namespace", ""))
        result = registry.commit(request, [write])[0]
        if isinstance(result, Committed):
            return result.body
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


def _completed(registry: Registry, obj: Object) -> Object:
    new = meta.complete(obj, registry.clock.now(), registry.ids)
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
