"""What a view holds: records of objects, and the changes between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import orjson

from app.objects.change import Change, Object, Operation, Trace


class Record:
    """One object as a view holds it: its JSON as it lies in the store, decoded when asked.

    With `keep`, the decoded form is kept for the next asker; it must not be changed.
    """

    __slots__ = ("_obj", "body", "key", "labels", "node", "owners", "revision")

    def __init__(self, key: str, revision: int, body: bytes, keep: bool) -> None:
        self.key = key
        self.revision = revision
        self.body = body
        obj: Object = orjson.loads(body)
        meta = obj["metadata"]
        self.labels: dict[str, str] = meta.get("labels") or {}
        self.owners: tuple[str, ...] = tuple(ref["uid"] for ref in meta.get("ownerReferences") or ())
        spec = obj.get("spec")
        self.node: str = (spec.get("nodeName") or "") if isinstance(spec, dict) else ""
        self._obj: Object | None = obj if keep else None

    @property
    def obj(self) -> Object:
        if self._obj is not None:
            return self._obj
        return cast(Object, orjson.loads(self.body))


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """A `Change` that is read off the log; its objects are decoded when asked for."""

    revision: int
    operation: Operation
    resource: str
    key: str
    before: Record | None
    after: Record
    actor: str
    trace: Trace
    at: float

    @property
    def old(self) -> Object | None:
        return self.before.obj if self.before is not None else None

    @property
    def new(self) -> Object:
        return self.after.obj


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log as it lies there."""

    revision: int
    operation: Operation
    resource: str
    key: str
    actor: str
    trace: Trace
    at: float
    body: bytes


def parse_entry(raw: tuple[bytes, dict[bytes, bytes]]) -> Entry:
    """An entry of the stream, as redis-py hands it out (see commit.lua for the fields)."""
    identity, fields = raw
    trace, _, cause = fields[b"t"].partition(b" ")
    return Entry(
        revision=int(identity.partition(b"-")[0]),
        operation=Operation(fields[b"o"].decode()),
        resource=fields[b"r"].decode(),
        key=fields[b"k"].decode(),
        actor=fields[b"a"].decode(),
        trace=Trace(trace.decode(), int(cause or 0)),
        at=int(fields[b"at"]) / 1000,
        body=fields[b"b"],
    )


def as_change(entry: Entry, before: Record | None, after: Record) -> Change:
    """The entry with what was there before; it has all that a `Change` has."""
    change = LoggedChange(
        entry.revision,
        entry.operation,
        entry.resource,
        entry.key,
        before,
        after,
        entry.actor,
        entry.trace,
        entry.at,
    )
    return cast(Change, change)
