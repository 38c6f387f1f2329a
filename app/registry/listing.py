"""List: the objects of a collection at one revision, whole or in pieces."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from app.base.errors import BadRequest, Cause, Expired, Invalid, LogTrimmed, Timeout
from app.objects.change import Object
from app.registry import past, selection, versions
from app.registry.request import ListOptions
from app.schemas.kinds import Kind
from app.store.records import Record

if TYPE_CHECKING:
    from app.registry.registry import Registry

TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. "
    "You must start a new list without the continue parameter."
)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list found: records in the order of their keys.

    Attributes:
        token: hand it in as `continue` for what follows; empty if that was all.
        remaining: how many follow, where that is known.
    """

    kind: Kind
    records: list[Record]
    revision: int
    token: str = ""
    remaining: int | None = None

    def objects(self) -> list[Object]:
        """The objects in the version asked for, decoded; they must not be changed."""
        return versions.shown_objects(self.kind, self.stored())

    def stored(self) -> list[Object]:
        """The objects as they are stored."""
        return [record.obj for record in self.records]

    def metadata(self) -> Object:
        """The list's metadata in wire form."""
        meta: Object = {"resourceVersion": str(self.revision)}
        if self.token:
            meta["continue"] = self.token
            if self.remaining is not None:
                meta["remainingItemCount"] = self.remaining
        return meta

    def json(self) -> bytes:
        """The list in wire form, spliced from the objects' own JSON."""
        bodies = versions.shown_all(self.kind, [record.body for record in self.records])
        return spliced(self.kind, self.metadata(), bodies)


def spliced(kind: Kind, metadata: Object, bodies: list[bytes]) -> bytes:
    """A list in wire form made of its items' JSON."""
    head = {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": metadata}
    return orjson.dumps(head)[:-1] + b',"items":[' + b",".join(bodies) + b"]}"


def list_objects(registry: Registry, kind: Kind, namespace: str, options: ListOptions) -> Listing:
    """The objects of a kind, in one namespace or (empty) in all, that the options select.

    Served from the view after it has caught up, so that it shows every write that was acknowledged
    before; with resourceVersion "0" as the view is. Pieces after the first, and exact revisions,
    are worked back from the view's history.

    Raises:
        BadRequest, Invalid: the options contradict each other. Expired: the revision asked for is no longer
            known. Timeout: it lies in the future.
    """
    if options.token:
        return _continued(registry, kind, namespace, options)
    version = _version(options)
    view = registry.view
    if version != 0 or not view.revision:
        view.catch_up()
    with view.lock:
        revision = view.revision
        if version is not None and version > revision:
            raise too_large(version, revision)
        if options.match == "Exact" and version != revision:
            assert version is not None  # _version has seen to it
            return _at(registry, kind, namespace, options, version, "", "The resourceVersion for the "
                       f"provided list is too old: {version}")  # fmt: skip
        found = selection.candidates(view, kind.storage.resource, namespace, options.fields)
        return _piece(kind, found, revision, options, "")


def too_large(asked: int, known: int) -> Timeout:
    """The answer to who asks for a revision that is yet to come."""
    return Timeout(
        f"Too large resource version: {asked}, current: {known}",
        causes=[Cause("", "ResourceVersionTooLarge", "Too large resource version")],
        retry_after=1,
    )


def _continued(registry: Registry, kind: Kind, namespace: str, options: ListOptions) -> Listing:
    if options.match:
        raise _invalid_match("resourceVersionMatch is forbidden when continue is provided")
    if options.version not in ("", "0"):
        raise BadRequest("specifying resource version is not allowed when using continue")
    revision, after = _read_token(options.token)
    registry.view.catch_up()
    with registry.view.lock:
        if revision > registry.view.revision:
            raise Expired(TOO_OLD)  # of a time that a failover lost
        return _at(registry, kind, namespace, options, revision, after, TOO_OLD)


def _at(
    registry: Registry,
    kind: Kind,
    namespace: str,
    options: ListOptions,
    revision: int,
    after: str,
    expired: str,
) -> Listing:
    try:
        found = past.records_at(registry.view, kind.storage.resource, namespace, revision)
    except LogTrimmed as exc:
        raise Expired(expired) from exc
    return _piece(kind, found, revision, options, after)


def _piece(kind: Kind, found: list[Record], revision: int, options: ListOptions, after: str) -> Listing:
    """Those of `found` behind the key `after` that are selected, up to the limit."""
    if after:
        found = [record for record in found if record.key > after]
    every = options.labels.everything and options.fields.everything
    if not every:
        found = [r for r in found if selection.wanted(r, options.labels, options.fields)]
    if not options.limit or len(found) <= options.limit:
        return Listing(kind, found, revision)
    piece = found[: options.limit]
    token = _make_token(revision, piece[-1].key)
    # Kubernetes leaves the count out where a selector is given.
    return Listing(kind, piece, revision, token, len(found) - len(piece) if every else None)


def _version(options: ListOptions) -> int | None:
    """The revision asked for, or None for the newest. Raises Invalid."""
    if options.match and not options.version:
        raise _invalid_match("resourceVersionMatch is forbidden unless resourceVersion is provided")
    if not options.version:
        return None
    if not options.version.isascii() or not options.version.isdigit():
        raise _invalid_version(options.version, "strconv.ParseUint: parsing "
                               f'"{options.version}": invalid syntax')  # fmt: skip
    if options.match == "Exact" and int(options.version) == 0:
        raise _invalid_match('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    return int(options.version)


def _make_token(revision: int, key: str) -> str:
    token = {"v": "meta.k8s.io/v1", "rv": revision, "start": key}
    return base64.urlsafe_b64encode(orjson.dumps(token)).rstrip(b"=").decode()


def _read_token(token: str) -> tuple[int, str]:
    try:
        padded = token.encode() + b"=" * (-len(token) % 4)
        read = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        revision, start = read["rv"], read["start"]
        if type(revision) is int and isinstance(start, str) and revision >= 0:
            return revision, start
    except (binascii.Error, ValueError, KeyError, TypeError):
        pass
    raise BadRequest("continue key is not valid: the token was not made by this server")


def _invalid_match(why: str) -> Invalid:
    return _invalid("resourceVersionMatch", f"Forbidden: {why}", "FieldValueForbidden")


def _invalid_version(value: str, why: str) -> Invalid:
    return _invalid("resourceVersion", f'Invalid value: "{value}": {why}', "FieldValueInvalid")


def _invalid(field: str, message: str, reason: str) -> Invalid:
    return Invalid(
        f'ListOptions.meta.k8s.io "" is invalid: {field}: {message}',
        group="meta.k8s.io",
        resource="ListOptions",
        causes=[Cause(field, reason, message)],
    )
