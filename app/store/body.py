"""Bodies: an object as JSON bytes, cut where its revision goes."""

from __future__ import annotations

import orjson

from app.objects.change import Object

_IDENTITY = ("apiVersion", "kind", "metadata")


def halves(obj: Object) -> tuple[bytes, bytes]:
    """`(head, tail)` so that `head + revision + tail` is the object's JSON.

    The commit draws the revision inside Redis, after this side has made the bytes, so they are made in
    two pieces. `metadata.resourceVersion` comes first in the metadata, whatever it was before.
    """
    meta = {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}
    identity = {k: obj[k] for k in ("apiVersion", "kind") if k in obj}
    rest = {k: v for k, v in obj.items() if k not in _IDENTITY}
    head = orjson.dumps(identity)[:-1]
    head += (b"," if identity else b"") + b'"metadata":{"resourceVersion":"'
    tail = b'"' + (b"," + orjson.dumps(meta)[1:] if meta else b"}")
    tail += b"," + orjson.dumps(rest)[1:] if rest else b"}"
    return head, tail
