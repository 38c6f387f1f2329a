"""From client-side apply to server-side apply and back, through the annotation in which `kubectl apply` keeps what
it applied last (k8s.io/apimachinery pkg/util/managedfields/internal: lastapplied.go, lastappliedupdater.go)."""

from __future__ import annotations

from typing import Any

import orjson

from app.objects.change import Object
from app.objects.managed.compare import compare
from app.objects.managed.fields import set_of
from app.objects.managed.sets import EMPTY, Tree, difference
from app.objects.managed.shape import Shape
from app.objects.managed.states import ownable

# Only this manager is both: others may keep the annotation for purposes of their own.
KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def may_take(live: Object, shape: Shape) -> Tree:
    """The fields that kubectl may take from others when it begins to apply on the server's side: those that are
    still as it applied them last from its own."""
    text = _annotation(live)
    try:
        last: Any = orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        last = None
    if not isinstance(last, dict) or not isinstance(last.get("metadata"), dict | None):
        return EMPTY
    last = ownable(last)
    changed, removed = compare(last, ownable(live), shape)
    return difference(difference(set_of(last, shape), changed), removed)


def with_last_applied(obj: Object, live: Object, config: Object) -> Object:
    """`obj` with the annotation saying what was applied now, if `live` has it: client-side apply can go on from
    there."""
    if not _annotation(live):
        return obj
    meta = dict(config.get("metadata") or {})
    annotations = {k: v for k, v in (meta.pop("annotations", None) or {}).items() if k != LAST_APPLIED}
    meta["annotations"] = annotations
    text = orjson.dumps({**config, "metadata": meta}, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    present = {**(obj["metadata"].get("annotations") or {}), LAST_APPLIED: text}
    return {**obj, "metadata": {**obj["metadata"], "annotations": present}}


def _annotation(obj: Object) -> str:
    found = (obj["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    return found if isinstance(found, str) else ""
