"""The Flask application, with a short way for resources.

Requests for resources are nearly all there are, and a small GET costs less than Flask's routing and contexts
do. So they go from the WSGI server straight to their handler; everything else goes through Flask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from app.api import answers, authz, compression, routing
from app.api.answers import Answer
from app.api.audit.keys import REASON, TARGET
from app.api.gate import Gate
from app.api.query import Query
from app.api.resources import Resources
from app.api.routing import Target
from app.api.sessions import joining
from app.api.sessions.sessions import Sessions
from app.api.sharing import Sharing
from app.api.tail import Tail
from app.base.errors import BadRequest, StoreUnavailable
from app.registry.catalog import Catalog

_WRITING = frozenset(("POST", "PUT", "PATCH"))
_VERBS = frozenset(("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"))


class Application(Flask):
    """The API server. `tail` follows the log; start it to serve watches."""

    catalog: Catalog
    gate: Gate
    resources: Resources
    sessions: Sessions
    sharing: Sharing
    tail: Tail

    def wsgi_app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request, from the WSGI server."""
        path = environ["PATH_INFO"]
        joins = joining.stream_of(environ)
        if joins is not None:
            return self._join(environ, start_response, *joins)
        if path.startswith(("/api", "//")):
            try:
                target = self._target(path, environ["REQUEST_METHOD"])
            except StoreUnavailable as exc:
                # Whether there is such a kind can't be told now.
                return answers.send(self.gate.refusal(exc, environ, ""), "", start_response)
            if target is not None:
                return self._resource(environ, start_response, target)
        return super().wsgi_app(environ, start_response)

    def _target(self, path: str, method: str) -> Target | None:
        """What a path names, if it is served. Raises StoreUnavailable."""
        try:
            parts = routing.segments(path)
        except ValueError:
            return None
        target = routing.parse(parts, self.catalog.find)
        if target is not None and target.kind.custom is not None and method in _WRITING:
            # What is written is held to the definition as it is by now.
            self.catalog.catch_up()
            target = routing.parse(parts, self.catalog.find)
        return target

    def stop(self) -> None:
        """End every watch and session: the server is going down."""
        self.tail.stop()
        self.sessions.stop()
        if self.gate.recorder is not None:
            self.gate.recorder.log.stop()

    def _join(
        self, environ: dict[str, Any], start_response: Callable[..., Any], node: str, stream: str
    ) -> Iterable[bytes]:
        """An agent connects for a session."""
        gate = self.gate
        trace = gate.ids.trace()

        def work() -> Answer:
            return joining.answer(gate, self.sessions, environ, node, stream)

        return answers.send(gate.run(environ, "connect", "stream", trace, work), trace, start_response)

    def _resource(
        self, environ: dict[str, Any], start_response: Callable[..., Any], target: Target
    ) -> Iterable[bytes]:
        gate = self.gate
        trace = gate.ids.trace()
        method = environ["REQUEST_METHOD"]
        text = environ.get("QUERY_STRING", "")
        verb = authz.verb(method, target, _is_watch(text))

        environ[TARGET] = target

        def work() -> Answer:
            user = gate.user(environ)
            environ[REASON] = authz.authorize(gate.access, user, verb, target, text)
            query = Query(text)
            return self.sharing.run(
                user,
                verb,
                target.subresource,
                query,
                lambda: self.resources.answer(method, target, environ, query, user, trace),
            )

        counted = verb if verb in _VERBS else "other"
        answer = gate.run(environ, counted, target.kind.resource, trace, work)
        compression.compress(answer, environ)
        return answers.send(answer, trace, start_response, head=method == "HEAD")


def _is_watch(query: str) -> bool:
    """Whether a query asks for a watch. One that can't be read asks for nothing; it is refused later."""
    try:
        return "watch" in query and Query(query).flag("watch")
    except BadRequest:
        return False
