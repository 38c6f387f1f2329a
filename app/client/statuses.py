"""From a Kubernetes `Status` back to the error that it stands for."""

from __future__ import annotations

from typing import Any

import orjson

from app.base import errors
from app.base.errors import ApiError, Cause

_BY_REASON: dict[str, type[ApiError]] = {
    kind.reason: kind for kind in ApiError.__subclasses__() if kind.__module__ == errors.__name__
}
_BY_CODE: dict[int, type[ApiError]] = {kind.code: kind for kind in _BY_REASON.values()}


def error_of(code: int, body: bytes, reason_phrase: str = "") -> ApiError:
    """The error that an answer of HTTP status `code` reports.

    An answer that is no Status (a proxy's page, say) becomes the error of its code, with the start of
    its text as the message.
    """
    status = _status(body)
    if status is None:
        text = body[:300].decode("utf-8", "replace").strip() or reason_phrase or f"HTTP {code}"
        status = {"message": text}
    details = status.get("details") or {}
    kind = _BY_REASON.get(str(status.get("reason") or "")) or _BY_CODE.get(code) or ApiError
    error = kind(
        str(status.get("message") or reason_phrase or f"HTTP {code}"),
        group=str(details.get("group") or ""),
        resource=str(details.get("kind") or ""),
        name=str(details.get("name") or ""),
        causes=[
            Cause(str(c.get("field") or ""), str(c.get("reason") or ""), str(c.get("message") or ""))
            for c in details.get("causes") or ()
        ],
        retry_after=details.get("retryAfterSeconds"),
    )
    if error.code != code:
        error.code = code
    return error


def of_event(status: dict[str, Any]) -> ApiError:
    """The error in a watch's ERROR event."""
    return error_of(int(status.get("code") or 500), orjson.dumps(status))


def _status(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) and parsed.get("kind") == "Status" else None
