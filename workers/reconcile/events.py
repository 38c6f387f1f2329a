"""Events: what a user would look for, as v1 Events. Alike ones are counted on one object.

The rules are client-go's (`tools/record/events_cache.go`): what is alike, and how many of them one object
may have written about it before the rest is dropped.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

import orjson

from app.base.clock import Clock, rfc3339
from app.base.ids import Ids
from app.objects.change import Object, Trace, Verb, Write, key_of
from app.objects.meta import complete
from app.store.store import Committed, Fence, Rejected, Stored
from workers.reconcile.plan import EventNote

RESOURCE = "events"
# EventSourceObjectSpamFilter: about one object, a source may write 25 Events at once and one every 5 minutes.
BURST = 25
REFILL_SECONDS = 300.0
REMEMBERED = 4096
# Longer messages are cut, as the API server does (validation of Event).
LONGEST_MESSAGE = 1024
# An Event that others count at the same time is read and counted again so often.
ATTEMPTS = 3


class EventStore(Protocol):
    """What writing Events takes of a store."""

    def commit(
        self, writes: Sequence[Write], *, actor: str, trace: Trace, now: float, fence: Fence | None = None
    ) -> list[Committed | Rejected]: ...

    def get_many(self, wanted: Sequence[tuple[str, str]]) -> list[Stored | None]: ...


class SpamFilter:
    """A bucket of tokens for each (source, object); what finds it empty is dropped."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def passes(self, component: str, about: str, now: float) -> bool:
        tokens, at = self._buckets.pop((component, about), (float(BURST), now))
        tokens = min(BURST, tokens + max(0.0, now - at) / REFILL_SECONDS)
        passed = tokens >= 1
        self._buckets[component, about] = (tokens - 1 if passed else tokens, now)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return passed


class EventWriter:
    """Writes notes as Events, many in one pipeline."""

    def __init__(
        self, store: EventStore, known: Callable[[str], Object | None], clock: Clock, ids: Ids
    ) -> None:
        """`known` gives the Event of a key as last seen, or None; being out of date costs a second round trip."""
        self._store = store
        self._known = known
        self._clock = clock
        self._ids = ids
        self._filter = SpamFilter()

    def write(self, component: str, notes: Sequence[tuple[EventNote, Trace]]) -> None:
        """Write `notes` on behalf of `component`. Raises StoreUnavailable."""
        now = self._clock.now()
        merged: dict[str, tuple[Object, Trace]] = {}
        for note, trace in notes:
            if not self._filter.passes(component, _about(note.regarding), now):
                continue
            event = new_event(component, note, now)
            key = key_of(event)
            if key in merged:
                event = counted(merged[key][0], event)
            merged[key] = (event, trace)
        pending = {key: (event, trace, self._known(key)) for key, (event, trace) in merged.items()}
        for _ in range(ATTEMPTS):
            if not pending:
                return
            pending = self._attempt(component, pending, now)

    def _attempt(
        self, component: str, pending: dict[str, tuple[Object, Trace, Object | None]], now: float
    ) -> dict[str, tuple[Object, Trace, Object | None]]:
        # One pipeline for all that came of one request; which of its changes led here is the newest's.
        by_request: dict[str, list[tuple[str, Write, Trace]]] = {}
        for key, (event, trace, old) in pending.items():
            by_request.setdefault(trace.id, []).append((key, self._as_write(key, event, old, now), trace))
        failed: list[str] = []
        for made in by_request.values():
            newest = max((trace for _, _, trace in made), key=lambda trace: trace.cause)
            results = self._store.commit([w for _, w, _ in made], actor=component, trace=newest, now=now)
            failed += [
                key for (key, _, _), result in zip(made, results, strict=True) if isinstance(result, Rejected)
            ]
        if not failed:
            return {}
        stored = self._store.get_many([(RESOURCE, key) for key in failed])
        return {
            key: (*pending[key][:2], orjson.loads(found.body) if found else None)
            for key, found in zip(failed, stored, strict=True)
        }

    def _as_write(self, key: str, event: Object, old: Object | None, now: float) -> Write:
        if old is None:
            return Write(Verb.CREATE, RESOURCE, key, complete(event, now, self._ids))
        revision = int(old["metadata"]["resourceVersion"])
        return Write(Verb.UPDATE, RESOURCE, key, counted(old, event), expect=revision)


def new_event(component: str, note: EventNote, now: float) -> Object:
    """The Event that a note becomes, if there is none like it."""
    regarding = note.regarding
    meta = regarding["metadata"]
    namespace = meta.get("namespace") or "default"
    message = note.message[:LONGEST_MESSAGE]
    name = meta["name"]
    about = {
        "apiVersion": regarding.get("apiVersion"),
        "kind": regarding.get("kind"),
        "namespace": meta.get("namespace"),
        "name": name,
        "uid": meta.get("uid"),
        "resourceVersion": meta.get("resourceVersion"),
    }
    at = rfc3339(now)
    likeness = "\0".join((_about(regarding), note.reason, message, note.type, component))
    digest = hashlib.blake2b(likeness.encode(), digest_size=8).hexdigest()
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{digest}", "namespace": namespace},
        "involvedObject": {field: value for field, value in about.items() if value},
        "reason": note.reason,
        "message": message,
        "source": {"component": component},
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
        "type": note.type,
        "eventTime": None,
        "reportingComponent": component,
        "reportingInstance": "",
    }


def counted(old: Object, new: Object) -> Object:
    """`old`, which happened once more (or `new["count"]` times)."""
    return {
        **old,
        "count": int(old.get("count") or 1) + int(new["count"]),
        "lastTimestamp": new["lastTimestamp"],
    }


def _about(regarding: Object) -> str:
    meta = regarding["metadata"]
    return str(meta.get("uid") or f"{regarding.get('kind')}/{meta.get('namespace')}/{meta['name']}")
