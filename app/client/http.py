"""The API over HTTP: TLS, token, keep-alive connections, errors.

Safe to use from many threads: each request borrows a connection of the pool and gives it back.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
import urllib3
from urllib3.exceptions import HTTPError, InsecureRequestWarning
from urllib3.util import Retry, Timeout

from app.base.errors import BeanpoleError, UserError
from app.base.settings import Settings
from app.client import channel
from app.client.channel import Channel
from app.client.paths import EXCHANGE_PATH, stream_path
from app.client.statuses import error_of, of_event
from app.client.upload import upload

Object = dict[str, Any]

PATCH_TYPES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_RETRIES = Retry(
    total=3,
    connect=3,
    read=2,
    redirect=0,
    status=0,
    other=0,
    backoff_factor=0.1,
    allowed_methods=_IDEMPOTENT,
    raise_on_status=False,
    raise_on_redirect=False,
)
# An exchange says the same thing however often it is said, so it may be sent again on a connection that
# the server closed while it was idle.
_RETRIES_OF_EXCHANGE = _RETRIES.new(connect=0, read=1, total=1, allowed_methods=None)
_CHUNK = 16 * 1024


class Unreachable(BeanpoleError):
    """The API did not answer: no connection, a broken one, or no answer in time."""


class ApiClient:
    """One API server, as one user.

    Args:
        server: `https://host:port`. token: shown as a bearer token if not empty.
        ca_file, ca_data: who must have signed the server's certificate (PEM); with neither, the
            machine's own authorities. cert_file, key_file: a client certificate.
        insecure: accept any certificate. timeout: seconds for one answer. connections: kept open at most.
    """

    def __init__(
        self,
        server: str,
        *,
        token: str = "",
        ca_file: str = "",
        ca_data: str = "",
        cert_file: str = "",
        key_file: str = "",
        insecure: bool = False,
        timeout: float = 30.0,
        connections: int = 8,
        user_agent: str = "beanpole",
    ) -> None:
        self.server = server.rstrip("/")
        self._timeout = timeout
        self._tls: ssl.SSLContext | None = None
        headers = {"User-Agent": user_agent, "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        pool: dict[str, Any] = {"num_pools": 2, "maxsize": connections, "block": False, "headers": headers}
        if self.server.startswith("https:"):
            self._tls = pool["ssl_context"] = _tls(ca_file, ca_data, cert_file, key_file, insecure)
            if insecure:
                pool["assert_hostname"] = False
                pool["cert_reqs"] = "CERT_NONE"
                # Whoever asks for this knows it; a warning with each request helps nobody.
                urllib3.disable_warnings(InsecureRequestWarning)
        self._pool = urllib3.PoolManager(**pool)

    @classmethod
    def of(cls, settings: Settings, **options: Any) -> ApiClient:
        """The client that the settings describe: server, ca_file, token or client certificate."""
        return cls(
            settings.server,
            token=settings.token,
            ca_file=settings.ca_file,
            cert_file=settings.client_cert_file,
            key_file=settings.client_key_file,
            **options,
        )

    # -- objects ------------------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Object:
        """One object, or whatever JSON lies at `path`. Raises ApiError (NotFound, ...), Unreachable."""
        return self._json("GET", path, query)

    def list(self, path: str, *, page: int = 0, **query: Any) -> Object:
        """A whole list, fetched `page` objects at a time if given; `items` holds them all."""
        if page:
            query["limit"] = page
        whole = self._json("GET", path, query)
        whole["items"] = items = whole.get("items") or []
        token = (whole.get("metadata") or {}).get("continue")
        while token:
            more = self._json("GET", path, {**query, "continue": token})
            items.extend(more.get("items") or [])
            whole["metadata"] = more.get("metadata") or {}
            token = whole["metadata"].get("continue")
        return whole

    def create(self, path: str, obj: Object, **query: Any) -> Object:
        """Create `obj` in the collection at `path`. Not repeated if the connection breaks midway."""
        return self._json("POST", path, query, orjson.dumps(obj))

    def replace(self, path: str, obj: Object, **query: Any) -> Object:
        return self._json("PUT", path, query, orjson.dumps(obj))

    def patch(self, path: str, patch: Any, kind: str = "merge", **query: Any) -> Object:
        """Patch the object at `path`; `kind` is json, merge, strategic or apply."""
        return self._json("PATCH", path, query, orjson.dumps(patch), content_type=PATCH_TYPES[kind])

    def delete(self, path: str, options: Object | None = None, **query: Any) -> Object:
        return self._json("DELETE", path, query, orjson.dumps(options) if options else None)

    def watch(self, path: str, *, seconds: float = 300.0, **query: Any) -> Iterator[tuple[str, Object]]:
        """`(type, object)` of each change (ADDED, MODIFIED, DELETED, BOOKMARK) until the server ends the
        watch. Raises Expired when the resourceVersion asked for is too old."""
        query = {"watch": "true", "timeoutSeconds": int(seconds), **query}
        rest = b""
        for chunk in self.stream(path, timeout=seconds + 30.0, **query):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    event = orjson.loads(line)
                    if event["type"] == "ERROR":
                        raise of_event(event["object"])
                    yield event["type"], event["object"]

    def stream(self, path: str, *, timeout: float | None = None, **query: Any) -> Iterator[bytes]:
        """What `path` answers, piece by piece as it comes (watches, logs)."""
        response = self._send(
            "GET", path, query, None, {}, _RETRIES, Timeout(connect=10.0, read=timeout), True
        )
        try:
            if response.status >= 400:
                raise error_of(response.status, response.read(), response.reason or "")
            try:
                while piece := response.read1(_CHUNK):
                    yield piece
            except HTTPError as exc:
                raise Unreachable(f"{self.server}{path}: {exc}") from exc
        finally:
            response.close()

    def text(self, path: str, **query: Any) -> str:
        """What `path` answers, as text (/healthz, logs)."""
        return self._body("GET", path, query, None, {}).decode("utf-8", "replace")

    # -- agents -------------------------------------------------------------------------------------

    def exchange(self, request: Object) -> Object:
        """One exchange on behalf of the nodes in `request`: heartbeats and statuses up, what changed down."""
        body = self._body(
            "POST",
            EXCHANGE_PATH,
            {},
            orjson.dumps(request),
            {"Content-Type": "application/json"},
            retries=_RETRIES_OF_EXCHANGE,
        )
        return _object(body, self.server)

    def post_stream(self, node: str, stream: str, chunks: Iterable[bytes]) -> None:
        """Deliver a stream that was asked of `node`, as it comes. Whoever asked may have left, which ends it
        with an ApiError or channel.Broken: with the next chunk, be it an empty one."""
        headers = {**self._pool.headers, "Content-Type": "application/octet-stream"}
        status, reason, body = upload(self.server, stream_path(node, stream), self._tls, headers, chunks)
        if status >= 400:
            raise error_of(status, body, reason)

    def open_channel(self, node: str, stream: str) -> Channel:
        """Connect for a session that was asked of `node`. Raises channel.Broken."""
        headers = {name: value for name, value in self._pool.headers.items() if name != "Accept"}
        return channel.connect(self.server, stream_path(node, stream), self._tls, headers, 10.0)

    def renew(self, cert_file: str, key_file: str) -> None:
        """Show another client certificate from the next connection on. Raises UserError if it can't be used."""
        if self._tls is None:
            return
        try:
            self._tls.load_cert_chain(cert_file, key_file)
        except (OSError, ssl.SSLError) as exc:
            raise UserError(f"can't use the certificate {cert_file}: {exc}") from exc
        self._pool.clear()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._pool.clear()

    # -- one request --------------------------------------------------------------------------------

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> Object:
        headers = {"Content-Type": content_type} if body is not None else {}
        return _object(self._body(method, path, query, body, headers), self.server)

    def _body(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: bytes | None,
        headers: Mapping[str, str],
        retries: Retry = _RETRIES,
    ) -> bytes:
        response = self._send(
            method, path, query, body, headers, retries, Timeout(connect=5.0, read=self._timeout)
        )
        if response.status >= 400:
            raise error_of(response.status, response.data, response.reason or "")
        return bytes(response.data)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Any,
        headers: Mapping[str, str],
        retries: Retry,
        timeout: Timeout,
        streaming: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        url = self.server + path
        if query:
            given = {k: _word(v) for k, v in query.items() if v is not None}
            url += "?" + urlencode(given)
        try:
            return self._pool.request(
                method,
                url,
                body=body,
                headers={**self._pool.headers, **headers},
                retries=retries,
                timeout=timeout,
                redirect=False,
                preload_content=not streaming,
            )
        except HTTPError as exc:
            raise Unreachable(f"the API at {self.server} does not answer: {_root(exc)}") from exc


def _object(body: bytes, server: str) -> Object:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise Unreachable(f"{server} answered with something that is not JSON: {body[:80]!r}") from exc
    if not isinstance(parsed, dict):
        raise Unreachable(f"{server} answered with something that is no object: {body[:80]!r}")
    return parsed


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _root(exc: BaseException) -> BaseException:
    reason = getattr(exc, "reason", None)
    return reason if isinstance(reason, BaseException) else exc


def _tls(ca_file: str, ca_data: str, cert_file: str, key_file: str, insecure: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file or None, cadata=ca_data or None)
        if insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if cert_file:
            context.load_cert_chain(cert_file, key_file or None)
    except (OSError, ssl.SSLError) as exc:
        raise UserError(
            f"can't use the certificates {ca_file or '(given as data)'} {cert_file}: {exc}; "
            "check the paths and that they are PEM"
        ) from exc
    return context
