"""The Flask application, with a short way for resources.

Requests for resources are nearly all there are, and a small GET costs less than Flask's routing and contexts
do. So they go from the WSGI server straight to their handler; everything else goes through Flask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from app.api import answers, authz, routing
from app.api.answers import Answer
from app.api.gate import Gate
from app.api.query import Query
from app.api.resources import Resources
from app.api.routing import Target
from app.api.tail import Tail
from app.base.errors import BadRequest

_VERBS = frozenset(("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"))


class Application(Flask):
    """The API server. `tail` follows the log; start it to serve watches."""

    gate: Gate
    resources: Resources
    tail: Tail

    def wsgi_app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request, from the WSGI server."""
        path = environ["PATH_INFO"]
        if path.startswith(("/api", "//")):
            try:
                target = routing.parse(routing.segments(path))
            except ValueError:
                target = None
            if target is not None:
                return self._resource(environ, start_response, target)
        return super().wsgi_app(environ, start_response)

    def stop(self) -> None:
        """End every watch: the server is going down."""
        self.tail.stop()

    def _resource(
        self, environ: dict[str, Any], start_response: Callable[..., Any], target: Target
    ) -> Iterable[bytes]:
        gate = self.gate
        trace = gate.ids.trace()
        method = environ["REQUEST_METHOD"]
        text = environ.get("QUERY_STRING", "")
        verb = authz.verb(method, target, _is_watch(text))

        def work() -> Answer:
            user = gate.user(environ)
            authz.authorize(user, verb, target)
            return self.resources.answer(method, target, environ, Query(text), user, trace)

        counted = verb if verb in _VERBS else "other"
        answer = gate.run(environ, counted, target.kind.resource, trace, work)
        return answers.send(answer, trace, start_response, head=method == "HEAD")


def _is_watch(query: str) -> bool:
    """Whether a query asks for a watch. One that can't be read asks for nothing; it is refused later."""
    try:
        return "watch" in query and Query(query).flag("watch")
    except BadRequest:
        return False
