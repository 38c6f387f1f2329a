"""Events as bytes: how a change looks in a watch, in each form of answer."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from app.api import forms
from app.api.negotiate import Form
from app.api.tail import Happening
from app.base.clock import Clock
from app.base.errors import ApiError, Expired
from app.objects.change import Operation
from app.registry import versions
from app.registry.statuses import failure
from app.schemas.kinds import Kind
from app.store.records import LoggedChange, Record

# So many objects are converted together.
TOGETHER = 500


class Lines:
    """How one watch puts its events: the bytes of each, shared with other watches of the same form."""

    def __init__(self, kind: Kind, form: Form, include: str, clock: Clock) -> None:
        self._kind = kind
        self._form = form
        self._include = include
        self._clock = clock
        self._described = False
        self._version = kind.api_version

    def of(self, happening: Happening, operation: Operation) -> bytes:
        """The line of a change."""
        described = self._form is not Form.TABLE or self._described
        form = (operation, self._form, self._include, described, self._version)
        line = happening.lines.get(form)
        if line is None:
            line = happening.lines[form] = self._line(operation, _body(happening.change, operation))
        self._described = True
        return line

    @property
    def late(self) -> bool:
        """Whether somebody else is asked about each event: then nobody should have to wait for it."""
        return self._kind.conversion is not None and self._kind.conversion.slow

    def added(self, records: list[Record]) -> Iterator[bytes]:
        """The lines of objects that were there when the watch began."""
        for at in range(0, len(records), TOGETHER):
            for body in versions.shown_all(self._kind, [r.body for r in records[at : at + TOGETHER]]):
                yield self._shown(Operation.ADDED, body)
                self._described = True

    def bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        meta: dict[str, object] = {"resourceVersion": str(revision)}
        if annotations:
            meta["annotations"] = annotations
        if self._form is Form.TABLE:
            obj: dict[str, object] = {
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": [], "rows": [],
            }  # fmt: skip
        elif self._form is Form.PARTIAL:
            obj = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
        else:
            obj = {"kind": self._kind.kind, "apiVersion": self._kind.api_version, "metadata": meta}
        return _spliced(b"BOOKMARK", orjson.dumps(obj))

    def _line(self, operation: Operation, body: bytes) -> bytes:
        return self._shown(operation, versions.shown(self._kind, body))

    def _shown(self, operation: Operation, body: bytes) -> bytes:
        if self._form is Form.TABLE:
            # Only the first event of a watch describes the columns.
            body = orjson.dumps(
                forms.row(
                    self._kind,
                    orjson.loads(body),
                    self._include,
                    self._clock.now(),
                    header=not self._described,
                )
            )
        elif self._form is Form.PARTIAL:
            body = orjson.dumps(forms.partial(orjson.loads(body)))
        return _spliced(operation.value.encode(), body)


def error(message: str) -> bytes:
    """The event that ends a watch whose changes are no longer known: list again."""
    return refusal(Expired(message))


def refusal(why: ApiError) -> bytes:
    """The event that ends a watch that can't go on."""
    return _spliced(b"ERROR", orjson.dumps(failure(why)))


def _spliced(word: bytes, body: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (word, body)


def _body(change: LoggedChange, operation: Operation) -> bytes:
    """What an event shows. Of an object that has ceased to match, its last state that did, under the
    revision at which it ceased."""
    if operation is Operation.DELETED and change.operation is not Operation.DELETED and change.before:
        obj = change.before.obj
        meta = {**obj["metadata"], "resourceVersion": str(change.revision)}
        return orjson.dumps({**obj, "metadata": meta})
    return change.after.body
