"""The forms in which objects are sent: whole, as metadata only, or as rows of a Table.

Whole objects go out as the bytes that lie in the store; a list is spliced from them.
"""

from __future__ import annotations

import orjson

from app.api.negotiate import Form
from app.base.errors import BadRequest
from app.objects.change import Object
from app.registry.listing import Listing
from app.schemas import table
from app.schemas.kinds import Kind


def include_of(text: str) -> str:
    """What a Table's rows carry besides cells: `None`, `Metadata` (the default) or `Object`.

    Raises:
        BadRequest: something else was asked for.
    """
    include = text or "Metadata"
    if include not in table.INCLUDE:
        raise BadRequest(f'unrecognized includeObject value "{include[:64]}"')
    return include


def one(kind: Kind, body: bytes, form: Form, include: str, now: float) -> bytes:
    """A single object in the form asked for."""
    if form is Form.JSON:
        return body
    obj: Object = orjson.loads(body)
    if form is Form.PARTIAL:
        return orjson.dumps(partial(obj))
    return orjson.dumps(row(kind, obj, include, now, header=True))


def row(kind: Kind, obj: Object, include: str, now: float, *, header: bool) -> Object:
    """A Table of one object; `header` says whether it describes its columns."""
    meta = {"resourceVersion": obj.get("metadata", {}).get("resourceVersion", "")}
    return table.render(kind, [obj], now, include, header=header, metadata=meta)


def many(found: Listing, form: Form, include: str, now: float) -> bytes:
    """A list in the form asked for."""
    if form is Form.JSON:
        return found.json()
    meta = found.metadata()
    if form is Form.PARTIAL:
        return orjson.dumps(
            {
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": meta,
                "items": [partial(obj) for obj in found.objects()],
            }
        )
    return orjson.dumps(table.render(found.kind, found.objects(), now, include, metadata=meta))


def partial(obj: Object) -> Object:
    """What `PartialObjectMetadata` shows of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj.get("metadata", {}),
    }


def pretty(body: bytes) -> bytes:
    """The same JSON, indented for people (`?pretty=true`)."""
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
