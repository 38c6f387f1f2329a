"""Versions: from the form in which objects are stored to the one that was asked for, and back.

A kind has a version in which its objects lie in the store (`kind.storage`) and may be served in others. Reading one
of those, its bytes are converted on their way out; writing, the object is defaulted in the version it was written
in, and validated and stored in the other. Where the version asked for is the stored one, bytes pass untouched.
https://kubernetes.io/docs/reference/using-api/#api-versioning
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from app.objects.change import Object
from app.schemas import defaults
from app.schemas.kind import Kind


def shown(kind: Kind, body: bytes) -> bytes:
    """A stored object's JSON in the version that `kind` is. Raises ApiError if it can't be converted."""
    return body if kind.conversion is None else shown_all(kind, (body,))[0]


def shown_all(kind: Kind, bodies: Iterable[bytes]) -> list[bytes]:
    """`shown` for many, which are converted together."""
    given = list(bodies)
    if kind.conversion is None:
        return given
    objects: list[Object] = [orjson.loads(body) for body in given]
    made = shown_objects(kind, objects)
    return [
        body if after is before else orjson.dumps(after)
        for body, before, after in zip(given, objects, made, strict=True)
    ]


def shown_objects(kind: Kind, objects: list[Object]) -> list[Object]:
    """Stored objects in the version that `kind` is; an object that is so already stays the same object."""
    if kind.conversion is None:
        return objects
    made = kind.conversion.from_storage(objects)
    return [_named(kind, before, after) for before, after in zip(objects, made, strict=True)]


def shown_object(kind: Kind, obj: Object) -> Object:
    """`shown_objects` for one."""
    return obj if kind.conversion is None else shown_objects(kind, [obj])[0]


def stored(kind: Kind, obj: Object) -> Object:
    """An object of the version that `kind` is as it is stored, with the defaults of the stored version. One that
    is in the stored version already stays as it is."""
    if kind.conversion is None:
        return obj
    storage = kind.conversion.storage
    if obj.get("apiVersion") == storage.api_version:
        return obj
    made = _named(storage, obj, kind.conversion.to_storage([obj])[0])
    return defaults.apply(storage, made)


def _named(kind: Kind, before: Object, after: Object) -> Object:
    if after is before:
        return after
    rest = {k: v for k, v in after.items() if k not in ("apiVersion", "kind", "metadata")}
    meta = after.get("metadata") or before["metadata"]
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta, **rest}
