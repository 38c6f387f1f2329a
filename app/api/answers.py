"""Answers: what a handler returns, before it becomes bytes on a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson

from app.api.sessions.upgrade import Upgrade
from app.base.errors import ApiError
from app.registry.statuses import failure

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


@dataclass(slots=True)
class Answer:
    """An HTTP answer. `body` is all of it, or pieces that are sent as they come."""

    code: int
    body: bytes | Iterable[bytes]
    content_type: str = JSON
    headers: list[tuple[str, str]] = field(default_factory=list)


def of_json(value: Any, code: int = 200) -> Answer:
    """An answer that is one JSON document."""
    return Answer(code, orjson.dumps(value))


def text(body: str, code: int = 200) -> Answer:
    return Answer(code, body.encode(), TEXT)


def of_error(error: ApiError) -> Answer:
    """The error as the answer that Kubernetes would give."""
    answer = of_json(failure(error), error.code)
    if error.retry_after is not None:
        answer.headers.append(("Retry-After", str(error.retry_after)))
    return answer


def unknown_path() -> Answer:
    """What Kubernetes says of a path that it doesn't serve: not a Status but one line."""
    return text("404 page not found\n", 404)


def send(
    answer: Answer, trace: str, start_response: Callable[..., Any], *, head: bool = False
) -> Iterable[bytes]:
    """Hand the answer to the WSGI server. `trace` becomes the Audit-Id, by which the log can be asked;
    with `head` the body stays here."""
    headers = [
        *((("Content-Type", answer.content_type),) if answer.content_type else ()),
        ("Cache-Control", "no-cache, private"),
        ("Audit-Id", trace),
        *answer.headers,
    ]
    body = answer.body
    if isinstance(body, Upgrade):
        return body
    if isinstance(body, bytes):
        headers.append(("Content-Length", str(len(body))))
        start_response(STATUS_LINES[answer.code], headers)
        return [] if head else [body]
    # A proxied answer may have any code.
    start_response(STATUS_LINES.get(answer.code) or f"{answer.code} Unknown", headers)
    return body
