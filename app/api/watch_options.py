"""What a watch request asks for."""

from __future__ import annotations

from dataclasses import dataclass

from app.api.query import Query
from app.base.errors import Cause, Invalid
from app.base.ids import Ids

# A watch without timeoutSeconds lasts this long, up to twice that (--min-request-timeout). Seconds.
LIFE = 1800.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a watch request asks for. `since` is None for "from the current state on"; `initial` says
    whether that state comes first, as ADDED events; `announce` whether a bookmark marks its end; `least` is the
    revision that it must have reached."""

    since: int | None
    least: int
    initial: bool
    announce: bool
    bookmarks: bool
    seconds: float


def options_of(query: Query, ids: Ids) -> Options:
    """The options in a query.

    Raises:
        Invalid, BadRequest: they make no sense; in the words of ValidateListOptions
            (k8s.io/apimachinery/pkg/apis/meta/internalversion/validation).
    """
    match = query.text("resourceVersionMatch")
    stream = query.given("sendInitialEvents")
    if match and not stream:
        raise _forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        )
    if stream and match != "NotOlderThan":
        raise _forbidden(
            "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        )
    initial = query.flag("sendInitialEvents")
    since = revision_of(query.text("resourceVersion"))
    bookmarks = query.flag("allowWatchBookmarks")
    seconds = query.number("timeoutSeconds")
    life = float(seconds) if seconds and seconds > 0 else LIFE * (1 + ids.fraction())
    if stream:
        return Options(
            None if initial else since or None, since, initial, initial and bookmarks, bookmarks, life
        )
    return Options(since or None, since, not since, False, bookmarks, life)


def revision_of(text: str) -> int:
    """A resourceVersion as a number; 0 for none.

    Raises:
        Invalid: it is none of ours.
    """
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        cause = f'Invalid value: "{text[:64]}": strconv.ParseUint: parsing "{text[:64]}": invalid syntax'
        raise Invalid(
            f"resourceVersion: {cause}", causes=[Cause("resourceVersion", "FieldValueInvalid", cause)]
        )
    return int(text)


def _forbidden(field: str, message: str) -> Invalid:
    return Invalid(
        f'ListOptions.meta.k8s.io "" is invalid: {field}: Forbidden: {message}',
        group="meta.k8s.io",
        resource="ListOptions",
        causes=[Cause(field, "FieldValueForbidden", f"Forbidden: {message}")],
    )
