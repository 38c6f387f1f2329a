"""Resources: what each HTTP method does to a kind, for all kinds alike.

https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from app.api import body as bodies
from app.api import forms, negotiate, request, selection, watch, watch_events, watch_options
from app.api.answers import Answer
from app.api.audit.keys import NOTES, SENT
from app.api.connection import Connection
from app.api.duplicates import duplicates
from app.api.logs import Logs
from app.api.negotiate import Form
from app.api.query import Query
from app.api.reviews import Review
from app.api.routing import Target
from app.api.sessions.connections import Connections
from app.api.tail import Tail
from app.api.user import User
from app.base.clock import Clock
from app.base.errors import MethodNotAllowed
from app.base.ids import Ids
from app.registry import incoming
from app.registry import patch as patches
from app.registry.configuration import check_not_forced
from app.registry.registry import Registry
from app.registry.request import Request
from app.schemas import kinds
from app.schemas.kind import VERBS


@dataclass(slots=True)
class Call:
    """One request for a resource, as far as it is understood."""

    target: Target
    environ: dict[str, Any]
    query: Query
    request: Request

    def form(self) -> Form:
        """Raises NotAcceptable."""
        return negotiate.form(self.environ.get("HTTP_ACCEPT", ""))


Handler = Callable[["Resources", Call], Answer]


class Resources:
    """The handlers, and what they work with. `max_body` is in bytes."""

    def __init__(
        self, registry: Registry, tail: Tail, logs: Logs, clock: Clock, ids: Ids, max_body: int
    ) -> None:
        self._registry = registry
        self._tail = tail
        self._logs = logs
        self._clock = clock
        self._ids = ids
        self._max_body = max_body
        # What answers the kinds that are questions, by resource.
        self.reviews: dict[str, Review] = {}
        # What connects users to pods.
        self.connections: Connections

    def answer(
        self, method: str, target: Target, environ: dict[str, Any], query: Query, user: User, trace: str
    ) -> Answer:
        """What the request asks for.

        Raises:
            ApiError: it can't be had.
        """
        on = target.subresource or ("object" if target.name else "collection")
        handler = _HANDLERS.get((on, "GET" if method == "HEAD" else method))
        if target.kind.verbs is not VERBS and not _takes(target, on, method):
            handler = None
        if handler is None or (
            # Across namespaces there is only reading.
            method not in _READING and target.kind.namespaced and not target.namespace
        ):
            raise MethodNotAllowed("the server does not allow this method on the requested resource")
        if on == "proxy":
            # What it asks, it asks of the pod.
            query = Query("")
        asked = request.request_of(user, trace, query, environ.get("HTTP_USER_AGENT", ""), method)
        call = Call(target, environ, query, asked)
        environ[NOTES] = call.request.annotations
        answer = handler(self, call)
        if target.kind.warning:
            call.request.warnings.insert(0, target.kind.warning)
        for warning in call.request.warnings:
            answer.headers.append(("Warning", f"299 - {quoted(warning)}"))
        return answer

    # -- reading -----------------------------------------------------------------------------------

    def get(self, call: Call) -> Answer:
        target = call.target
        form = call.form()
        body = self._registry.get(call.request, target.kind, target.namespace, target.name)
        return self._object(call, form, body)

    def list(self, call: Call) -> Answer:
        chosen = selection.of(call.target, call.query)
        if call.query.flag("watch") and call.environ["REQUEST_METHOD"] != "HEAD":
            if "watch" not in call.target.kind.verbs:
                raise MethodNotAllowed("the server does not allow this method on the requested resource")
            return self._watch(call, chosen)
        form = call.form()
        include = forms.include_of(call.query.text("includeObject"))
        options = request.list_options_of(call.query, chosen)
        target = call.target
        if options.version.isascii() and options.version.isdigit():
            watch.await_revision(self._tail, self._clock, int(options.version))
        found = self._registry.list(call.request, target.kind, target.namespace, options)
        data = forms.many(found, form, include, self._clock.now())
        return self._sent(call, data)

    def _watch(self, call: Call, chosen: selection.Selection) -> Answer:
        options = watch_options.options_of(call.query, self._ids)
        include = forms.include_of(call.query.text("includeObject"))
        lines = watch_events.Lines(call.target.kind, call.form(), include, self._clock)
        stream = watch.Watch(self._tail, self._clock, chosen, options, lines, Connection(call.environ))
        return Answer(200, stream)

    def log(self, call: Call) -> Answer:
        target = call.target
        pod = orjson.loads(self._registry.get(call.request, target.kind, target.namespace, target.name))
        if call.environ["REQUEST_METHOD"] == "HEAD":
            return Answer(200, b"", "text/plain")
        return self._logs.answer(pod, call.query, Connection(call.environ))

    def connect(self, call: Call) -> Answer:
        return self.connections.answer(call.target, call.environ, call.request)

    # -- writing -----------------------------------------------------------------------------------

    def create(self, call: Call) -> Answer:
        form = call.form()
        target = call.target
        raw = self._body(call, target.kind.kind)
        review = self.reviews.get(target.kind.resource)
        if review is not None:
            asked = incoming.accept(call.request, target.kind, target.namespace, raw)
            return self._sent(call, orjson.dumps(review(call.request, asked)), 201)
        data = self._registry.create(call.request, target.kind, target.namespace, raw)
        return self._object(call, form, data, 201)

    def replace(self, call: Call) -> Answer:
        form = call.form()
        target = call.target
        raw = self._body(call, target.kind.kind)
        data = self._registry.replace(
            call.request, target.kind, target.namespace, target.name, raw, target.subresource
        )
        return self._object(call, form, data)

    def patch(self, call: Call) -> Answer:
        form = call.form()
        target = call.target
        patch, media = self._patch(call)
        if media == patches.APPLY:
            outcome = self._registry.apply(
                call.request, target.kind, target.namespace, target.name, patch, target.subresource
            )
            return self._object(call, form, outcome.body, 201 if outcome.created else 200)
        data = self._registry.patch(
            call.request, target.kind, target.namespace, target.name, patch, media, target.subresource
        )
        return self._object(call, form, data)

    def delete(self, call: Call) -> Answer:
        call.form()
        target = call.target
        raw = self._delete_options(call)
        options = request.delete_options_of(call.query, raw)
        removed = self._registry.delete(call.request, target.kind, target.namespace, target.name, options)
        return self._sent(call, removed.body, 202 if removed.waiting else 200)

    def delete_collection(self, call: Call) -> Answer:
        chosen = selection.of(call.target, call.query)
        which = request.list_options_of(call.query, chosen)
        raw = self._delete_options(call)
        options = request.delete_options_of(call.query, raw)
        target = call.target
        data = self._registry.delete_collection(call.request, target.kind, target.namespace, which, options)
        return self._sent(call, data)

    def get_scale(self, call: Call) -> Answer:
        target = call.target
        return self._sent(
            call, self._registry.get_scale(call.request, target.kind, target.namespace, target.name)
        )

    def replace_scale(self, call: Call) -> Answer:
        target = call.target
        raw = self._body(call, kinds.SCALE.kind)
        data = self._registry.replace_scale(call.request, target.kind, target.namespace, target.name, raw)
        return self._sent(call, data)

    def patch_scale(self, call: Call) -> Answer:
        target = call.target
        patch, media = self._patch(call)
        if media == patches.APPLY:
            outcome = self._registry.apply(
                call.request, target.kind, target.namespace, target.name, patch, target.subresource
            )
            return self._sent(call, outcome.body)
        data = self._registry.patch_scale(
            call.request, target.kind, target.namespace, target.name, patch, media
        )
        return self._sent(call, data)

    def bind(self, call: Call) -> Answer:
        raw = self._body(call, kinds.BINDING.kind)
        return self._sent(
            call, self._registry.bind(call.request, call.target.namespace, call.target.name, raw), 201
        )

    def evict(self, call: Call) -> Answer:
        raw = self._body(call, kinds.EVICTION.kind)
        return self._sent(
            call, self._registry.evict(call.request, call.target.namespace, call.target.name, raw), 201
        )

    def token(self, call: Call) -> Answer:
        raw = self._body(call, kinds.TOKEN_REQUEST.kind)
        target = call.target
        made = self._registry.request_token(call.request, target.namespace, target.name, raw)
        return self._sent(call, made, 201)

    def finalize(self, call: Call) -> Answer:
        raw = self._body(call, call.target.kind.kind)
        return self._sent(call, self._registry.finalize(call.request, call.target.name, raw))

    # -- bodies ------------------------------------------------------------------------------------

    def _body(self, call: Call, expected: str) -> dict[str, Any]:
        data = bodies.read(call.environ, self._max_body)
        media = bodies.media_type(call.environ)
        raw = call.environ[SENT] = bodies.parse(data, media, expected)
        if media == bodies.JSON and call.request.field_validation != "Ignore":
            incoming.report_doubled(call.request, call.target.kind, duplicates(data))
        return raw

    def _patch(self, call: Call) -> tuple[Any, str]:
        media = bodies.media_type(call.environ)
        patches.check_type(media)
        data = bodies.read(call.environ, self._max_body)
        if media == patches.APPLY:
            call.environ[SENT] = applied = bodies.parse_apply(data)
            return applied, media
        check_not_forced(call.request)
        call.environ[SENT] = patch = bodies.parse_patch(data)
        return patch, media

    def _delete_options(self, call: Call) -> Any:
        data = bodies.read(call.environ, self._max_body)
        if not data:
            return None
        raw = call.environ[SENT] = bodies.parse(data, bodies.media_type(call.environ), "DeleteOptions")
        if request.wants_dry_run(raw):
            call.request.dry_run = True
        return raw

    def _object(self, call: Call, form: Form, data: bytes, code: int = 200) -> Answer:
        if form is not Form.JSON:
            include = forms.include_of(call.query.text("includeObject"))
            data = forms.one(call.target.kind, data, form, include, self._clock.now())
        return self._sent(call, data, code)

    def _sent(self, call: Call, data: bytes, code: int = 200) -> Answer:
        if call.query.flag("pretty"):
            data = forms.pretty(data)
        return Answer(code, data)


def _takes(target: Target, on: str, method: str) -> bool:
    """Whether a kind that lacks some verbs takes this one."""
    if target.subresource:
        return True
    return _VERBS_OF.get((on, "GET" if method == "HEAD" else method), "") in target.kind.verbs


def quoted(text: str) -> str:
    """Text as an HTTP quoted-string, in Latin-1 and without control characters (RFC 9110, 5.6.4)."""
    safe = "".join(c if " " <= c <= "~" else "?" for c in text[:1000])
    return '"' + safe.replace("\\", "\\\\").replace('"', '\\"') + '"'


_READING = ("GET", "HEAD")
_VERBS_OF = {
    ("collection", "GET"): "list",
    ("collection", "POST"): "create",
    ("collection", "DELETE"): "deletecollection",
    ("object", "GET"): "get",
    ("object", "PUT"): "update",
    ("object", "PATCH"): "patch",
    ("object", "DELETE"): "delete",
}
_HANDLERS: dict[tuple[str, str], Handler] = {
    ("collection", "GET"): Resources.list,
    ("collection", "POST"): Resources.create,
    ("collection", "DELETE"): Resources.delete_collection,
    ("object", "GET"): Resources.get,
    ("object", "PUT"): Resources.replace,
    ("object", "PATCH"): Resources.patch,
    ("object", "DELETE"): Resources.delete,
    ("status", "GET"): Resources.get,
    ("status", "PUT"): Resources.replace,
    ("status", "PATCH"): Resources.patch,
    ("scale", "GET"): Resources.get_scale,
    ("scale", "PUT"): Resources.replace_scale,
    ("scale", "PATCH"): Resources.patch_scale,
    ("binding", "POST"): Resources.bind,
    ("eviction", "POST"): Resources.evict,
    ("log", "GET"): Resources.log,
    **{
        (name, method): Resources.connect
        for name in ("exec", "attach", "portforward")
        for method in ("GET", "POST")
    },
    **{
        ("proxy", method): Resources.connect
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    },
    ("finalize", "PUT"): Resources.finalize,
    ("token", "POST"): Resources.token,
    ("approval", "GET"): Resources.get,
    ("approval", "PUT"): Resources.replace,
    ("approval", "PATCH"): Resources.patch,
    ("ephemeralcontainers", "GET"): Resources.get,
    ("ephemeralcontainers", "PUT"): Resources.replace,
    ("ephemeralcontainers", "PATCH"): Resources.patch,
    ("resize", "GET"): Resources.get,
    ("resize", "PUT"): Resources.replace,
    ("resize", "PATCH"): Resources.patch,
}
