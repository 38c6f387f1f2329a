"""Everything but resources, through Flask: health, version, metrics, discovery, OpenAPI, and what agents use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from app.api import answers, authz, body, discovery, health, metrics, openapi, openid, routing, streams
from app.api.answers import Answer
from app.api.query import Query
from app.base.errors import BadRequest, MethodNotAllowed
from app.registry.exchange import exchange_json
from app.registry.registry import Registry
from app.registry.report import nodes_of
from app.store.agents import AgentState
from app.store.store import Store

if TYPE_CHECKING:
    from app.api.application import Application

_AGENT = "/apis/agent.beanpole.dev/v1"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def blueprint(
    app: Application, registry: Registry, store: Store, agents: AgentState, max_body: int
) -> Blueprint:
    """The pages. Those of health and version may be read by anybody, all others by known users only."""
    pages = Blueprint("pages", __name__)
    gate = app.gate

    def page(
        rule: str, method: str, resource: str, work: Callable[..., Answer], *, anonymous: bool = False
    ) -> None:
        """Serve `work(environ, **arguments)` at `rule`; `method` may be `*`, for `work` to judge."""

        def view(**arguments: str) -> Response:
            environ, trace = request.environ, gate.ids.trace()

            def checked() -> Answer:
                if not anonymous:
                    environ["beanpole.user"] = user = gate.user(environ)
                    if not rule.startswith(_AGENT):
                        authz.authorize_path(gate.access, user, *_asked(environ))
                if method != "*":
                    _allow(environ, method)
                return work(environ, **arguments)

            return _response(
                gate.run(environ, "post" if method == "POST" else "get", resource, trace, checked), trace
            )

        pages.add_url_rule(
            rule, rule.replace(".", "-"), view, methods=_METHODS, provide_automatic_options=False
        )

    def alive(name: str) -> Callable[..., Answer]:
        return lambda environ, check="": health.alive(
            name, health.Asked.of(environ.get("QUERY_STRING", "")), check
        )

    def ready(environ: dict[str, Any], check: str = "") -> Answer:
        return health.ready(store, health.Asked.of(environ.get("QUERY_STRING", "")), check)

    def exchange(environ: dict[str, Any]) -> Answer:
        data = body.read(environ, max_body)
        try:
            said = orjson.loads(data)
        except orjson.JSONDecodeError as exc:
            raise BadRequest(f"an exchange must be JSON: {exc}") from None
        for node in nodes_of(said):
            authz.authorize_node(environ["beanpole.user"], node)
        body.check_depth(said)
        return Answer(200, exchange_json(registry, said))

    def upload(environ: dict[str, Any], node: str, stream: str) -> Answer:
        authz.authorize_node(environ["beanpole.user"], node)
        if not (stream.isascii() and stream.isalnum() and len(stream) <= 64):
            raise BadRequest("a stream's name is up to 64 letters and digits")
        streams.upload(agents, stream, environ, gate.clock)
        return answers.of_json({})

    def measurements(environ: dict[str, Any]) -> Answer:
        gate.metrics.watchers.set(app.tail.watchers)
        gate.metrics.revision.set(app.tail.view.revision)
        return Answer(200, gate.metrics.page(), metrics.CONTENT_TYPE)

    def documents(environ: dict[str, Any], path: str = "") -> Answer:
        text, tag = Query(environ.get("QUERY_STRING", "")), environ.get("HTTP_IF_NONE_MATCH", "")
        path = "/".join(part for part in path.split("/") if part)
        catalog = registry.catalog
        return (
            openapi.document(catalog, path, text.text("hash"), tag) if path else openapi.index(catalog, tag)
        )

    def document_v2(environ: dict[str, Any]) -> Answer:
        return openapi.document_v2(
            registry.catalog, environ.get("HTTP_ACCEPT", ""), environ.get("HTTP_IF_NONE_MATCH", "")
        )

    def rest(environ: dict[str, Any], path: str = "") -> Answer:
        return _elsewhere(environ, registry)

    for name, answer in (("healthz", alive("healthz")), ("livez", alive("livez")), ("readyz", ready)):
        page(f"/{name}", "GET", name, answer, anonymous=True)
        page(f"/{name}/<check>", "GET", name, answer, anonymous=True)
    page("/version", "GET", "version", lambda e: health.version(), anonymous=True)
    page("/metrics", "GET", "metrics", measurements)
    trust, server = registry.trust, registry.settings.server
    page(openid.CONFIGURATION, "GET", "openid", lambda e: openid.configuration(trust, server))
    page(openid.KEYS, "GET", "openid", lambda e: openid.keys(trust))
    page("/openapi/v2", "GET", "openapi", document_v2)
    page("/openapi/v3", "GET", "openapi", documents)
    page("/openapi/v3/<path:path>", "GET", "openapi", documents)
    page(f"{_AGENT}/exchange", "POST", "exchange", exchange)
    page(f"{_AGENT}/nodes/<node>/streams/<stream>", "POST", "stream", upload)
    page("/", "*", "other", rest)
    page("/<path:path>", "*", "other", rest)

    def failed(error: HTTPException) -> Response:
        """What Flask itself refuses: a path that it can't even match."""
        trace = gate.ids.trace()
        answer = gate.run(
            request.environ, "other", "other", trace, lambda: _nowhere(gate.user(request.environ))
        )
        return _response(answer, trace)

    app.register_error_handler(HTTPException, failed)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    return pages


def _asked(environ: dict[str, Any]) -> tuple[str, str]:
    """The method and path that authorization is asked about; HEAD is a GET without its body."""
    method = environ["REQUEST_METHOD"]
    return ("GET" if method == "HEAD" else method), environ["PATH_INFO"]


def _nowhere(_user: object) -> Answer:
    return answers.unknown_path()


def _elsewhere(environ: dict[str, Any], registry: Registry) -> Answer:
    """Discovery, the index, or nothing."""
    try:
        parts = routing.segments(environ["PATH_INFO"])
    except ValueError:
        return answers.unknown_path()
    found = None
    if not parts:
        found = answers.of_json({"paths": _PATHS})
    elif parts[0] in ("api", "apis"):
        known = environ.get("HTTP_IF_NONE_MATCH", "")
        found = discovery.answer(parts, environ.get("HTTP_ACCEPT", ""), registry.catalog, known)
    if found is None:
        return answers.unknown_path()
    _allow(environ, "GET")
    return found


def _allow(environ: dict[str, Any], method: str) -> None:
    """Raises MethodNotAllowed for any other (HEAD goes where GET does)."""
    if environ["REQUEST_METHOD"] not in (method, "HEAD" if method == "GET" else method):
        raise MethodNotAllowed("the server does not allow this method on the requested resource")


_PATHS = [
    openid.CONFIGURATION,
    "/api",
    "/api/v1",
    "/apis",
    "/healthz",
    "/healthz/ping",
    "/livez",
    "/livez/ping",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
    openid.KEYS,
    "/readyz",
    "/readyz/ping",
    "/readyz/store",
    "/version",
]


def _response(answer: Answer, trace: str) -> Response:
    headers = [("Audit-Id", trace), ("Cache-Control", "no-cache, private"), *answer.headers]
    return Response(answer.body, answer.code, headers, content_type=answer.content_type)
