"""The `proxy` subresource: a request goes to a pod as it came, and the answer comes back.

https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
and k8s.io/apimachinery/pkg/util/proxy. Links in pages are not rewritten.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import h11

from app.api.answers import Answer
from app.api.connection import Connection
from app.api.sessions.dialed import Stream
from app.api.sessions.upgrade import Upgrade, hang_up
from app.api.sessions.wires import Cut
from app.api.streams import pieces
from app.base.errors import BadRequest, ServiceUnavailable

# About the connection or the asking of this API, and not for the pod (RFC 9110, 7.6.1).
_OWN = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "authorization", "host", "expect", "content-length",
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-uri",
})  # fmt: skip
_HEADERS_MAX = 256 * 1024
_READ = 64 * 1024


def rest_of(environ: dict[str, Any], segments: int) -> str:
    """What of the path is the pod's: all that follows the first `segments` parts. Empty if not even a slash does. An
    encoded slash counts as one, as in Kubernetes (some clients encode all of them)."""
    raw = quote(environ["PATH_INFO"].encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
    at, seen = 0, 0
    while seen < segments and at < len(raw):
        while raw[at : at + 1] == "/":
            at += 1
        end = raw.find("/", at)
        at = len(raw) if end < 0 else end
        seen += 1
    return raw[at:]


def to_directory(environ: dict[str, Any]) -> Answer:
    """To what lies under a slash, so that relative links in its pages lead below it."""
    query = environ.get("QUERY_STRING", "")
    # With two slashes in front it would name a host.
    path = "/" + quote(environ["PATH_INFO"].lstrip("/").encode("latin-1"), safe="/:")
    where = path + "/" + (f"?{query}" if query else "")
    return Answer(301, b"", "", [("Location", where)])


class Exchange:
    """One request to a pod.

    Args:
        stream: the connection. host: what the pod is called there. base: what of the path is not the pod's.
    """

    def __init__(self, stream: Stream, host: str, base: str) -> None:
        self._stream, self._host, self._base = stream, host, base
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEADERS_MAX)
        self._lock = threading.Lock()
        self._sending: threading.Thread | None = None
        self._connection: Connection | None = None

    def answer(self, environ: dict[str, Any], path: str) -> Answer:
        """What the pod answers; its body comes as the pod sends it.

        Raises:
            ServiceUnavailable: it can't be reached, or answers with something else than HTTP.
        """
        try:
            self._ask(environ, path)
            response = self._head()
        except (Cut, h11.RemoteProtocolError) as exc:
            self.close()
            raise ServiceUnavailable(f"error trying to reach service: {exc}") from exc
        except h11.LocalProtocolError as exc:
            self.close()
            raise BadRequest(f"a request that can't be passed on: {exc}") from exc
        except BaseException:
            self.close()
            raise
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
        if response.status_code == 101:
            return Answer(101, self._upgrade(headers))
        return Answer(response.status_code, self, "", list(self._shown(headers)))

    def _ask(self, environ: dict[str, Any], path: str) -> None:
        query = environ.get("QUERY_STRING", "")
        target = (path or "/") + (f"?{query}" if query else "")
        headers = [("Host", self._host), *_passed_on(environ, self._base + path)]
        body = _has_body(environ)
        self._connection = Connection(environ)
        wants = environ.get("HTTP_UPGRADE")
        if wants and "upgrade" in environ.get("HTTP_CONNECTION", "").lower():
            headers += [("Connection", "Upgrade"), ("Upgrade", wants)]
        else:
            headers.append(("Connection", "close"))
        if environ.get("CONTENT_LENGTH"):
            headers.append(("Content-Length", environ["CONTENT_LENGTH"]))
        elif body:
            headers.append(("Transfer-Encoding", "chunked"))
        self._say(h11.Request(method=environ["REQUEST_METHOD"], target=target, headers=headers))
        if body:
            # A pod may answer before it has read everything.
            self._sending = threading.Thread(
                target=self._send_body, args=(environ,), name="proxy-body", daemon=True
            )
            self._sending.start()
        else:
            self._say(h11.EndOfMessage())

    def _send_body(self, environ: dict[str, Any]) -> None:
        try:
            for piece in pieces(environ["wsgi.input"]):
                self._say(h11.Data(data=piece))
            self._say(h11.EndOfMessage())
        except (Cut, OSError, ValueError, h11.LocalProtocolError):
            # The client or the pod has gone; whoever reads the answer sees it.
            self._stream.end()

    def _say(self, event: Any) -> None:
        with self._lock:
            data = self._http.send(event)
        if data:
            self._stream.send(data)

    def _head(self) -> Any:
        while True:
            event = self._next()
            if isinstance(event, h11.Response):
                return event
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise ServiceUnavailable("error trying to reach service: EOF")

    def _next(self) -> Any:
        while True:
            with self._lock:
                event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            data = self._stream.receive()
            with self._lock:
                self._http.receive_data(data)

    def __iter__(self) -> Iterator[bytes]:
        if self._sending is None and self._connection is not None:
            # A pod may say nothing for hours, to a client that has left long ago.
            self._connection.on_hangup(self._stream.close)
        yield b""
        try:
            while isinstance(event := self._next(), h11.Data):
                yield bytes(event.data)
        except h11.RemoteProtocolError as exc:
            # Cut off in the middle, by the pod or because the client left; so is what the client gets. By this number
            # gunicorn knows that it is no fault of the server, and writes nothing into its log.
            raise ConnectionResetError(errno.ECONNRESET, str(exc)) from exc

    def close(self) -> None:
        self._stream.close()
        if self._connection is None:
            return
        self._connection.release()
        if self._sending is not None and self._sending.is_alive():
            # The pod has answered without hearing the client out: what is left of its body must not be taken for
            # its next request.
            self._connection.abort()

    def _shown(self, headers: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        named = {name for key, value in headers if key == "connection" for name in value.lower().split(",")}
        for name, value in headers:
            if name in _OWN - {"content-length"} or name in {each.strip() for each in named}:
                continue
            yield name.title(), self._location(value) if name == "location" else value

    def _location(self, value: str) -> str:
        """A redirect to the pod itself leads through the proxy, others to where they lead."""
        parts = urlsplit(value)
        if parts.netloc and parts.netloc != self._host:
            return value
        if not parts.path.startswith("/"):
            return value
        query = f"?{parts.query}" if parts.query else ""
        return self._base + parts.path + query + (f"#{parts.fragment}" if parts.fragment else "")

    def _upgrade(self, headers: list[tuple[str, str]]) -> Upgrade:
        """The pod switches protocols: from here on, bytes as they come."""
        lines = "".join(f"{name.title()}: {value}\r\n" for name, value in headers)
        head = f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode("latin-1")
        head += self._http.trailing_data[0]

        def serve(sock: socket.socket, begun: bytes) -> None:
            inward = threading.Thread(
                target=self._inward, args=(sock, begun), name="proxy-input", daemon=True
            )
            inward.start()
            try:
                while data := self._stream.receive():
                    sock.sendall(data)
            finally:
                hang_up(sock)
                self._stream.close()
                inward.join()

        return Upgrade(head, serve, self.close)

    def _inward(self, sock: socket.socket, data: bytes) -> None:
        with contextlib.suppress(Cut, OSError):
            while True:
                if data:
                    self._stream.send(data)
                data = sock.recv(_READ)
                if not data:
                    break
        self._stream.end()
        self._stream.close()


def _has_body(environ: dict[str, Any]) -> bool:
    return bool(environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"))


def _passed_on(environ: dict[str, Any], uri: str) -> Iterator[tuple[str, str]]:
    if environ.get("CONTENT_TYPE"):
        yield "Content-Type", environ["CONTENT_TYPE"]
    dropped = _OWN | {each.strip().lower() for each in environ.get("HTTP_CONNECTION", "").split(",")}
    for key, value in environ.items():
        name = key[5:].replace("_", "-").lower()
        if not key.startswith("HTTP_") or not isinstance(value, str) or name.startswith("impersonate-"):
            continue
        if name not in dropped:
            yield name.title(), value
    before = environ.get("HTTP_X_FORWARDED_FOR")
    client = environ.get("REMOTE_ADDR", "")
    yield "X-Forwarded-For", f"{before}, {client}" if before else client
    yield "X-Forwarded-Host", environ.get("HTTP_HOST", "")
    yield "X-Forwarded-Proto", environ.get("wsgi.url_scheme", "https")
    yield "X-Forwarded-Uri", uri
