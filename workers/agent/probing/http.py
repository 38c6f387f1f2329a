"""httpGet: a GET is answered with a status from 200 to 399.

As kubelet's prober (kubernetes/pkg/probe/http): a redirection to the same host is followed, one to another host ends
the try with a warning; certificates are not verified; of a body 10 KiB are read.
"""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass, replace
from urllib.parse import quote, urljoin, urlsplit

from app.base.clock import SystemClock
from app.base.version import MAJOR, MINOR
from app.objects.change import Object
from workers.agent.probing.attempt import Outcome, join, port_number
from workers.agent.probing.response import Head, Malformed, read_body, read_head
from workers.agent.probing.talk import Talk, begin_tls, connect, drive, is_numeric, new_socket, send
from workers.agent.probing.tcp import dial_error

REDIRECTS_MAX = 10
_FOLLOWED = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
# What may stand in a path as it is.
_SAFE = "/%:@!$&'()*+,;=~-._[]"
_AWAITING = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
_READING = "context deadline exceeded (Client.Timeout or context cancellation while reading body)"


@dataclass(frozen=True, slots=True)
class Request:
    """A GET. `host`: whom to connect to. `named`: the Host header, if it is not host and port. `headers`: the others."""

    scheme: str
    host: str
    port: int
    target: str
    named: str
    headers: tuple[tuple[str, str], ...]

    @property
    def url(self) -> str:
        return f"{self.scheme}://{join(self.host, self.port)}{self.target}"

    def encoded(self) -> bytes:
        lines = [f"GET {self.target} HTTP/1.1", f"Host: {self.named or join(self.host, self.port)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode("latin-1", "replace")


def request_of(action: Object, container: Object, address: str, purpose: str = "probe") -> Request:
    """What an httpGet action asks for. `purpose`: `probe` or `lifecycle`, for the User-Agent.

    Raises:
        ValueError: there is no such port.
    """
    asked = [(str(h["name"]), str(h.get("value") or "")) for h in action.get("httpHeaders") or ()]
    given = {name.lower() for name, _ in asked}
    named = next((value for name, value in asked if name.lower() == "host"), "")
    headers = [(name, value) for name, value in asked if name.lower() != "host"]
    if "user-agent" not in given:
        headers.insert(0, ("User-Agent", f"kube-{purpose}/{MAJOR}.{MINOR}"))
    if "accept" not in given:
        headers.append(("Accept", "*/*"))
    # An empty one means: none at all.
    silent = ("accept", "user-agent")
    headers = [(name, value) for name, value in headers if value or name.lower() not in silent]
    return Request(
        scheme=(action.get("scheme") or "HTTP").lower(),
        host=action.get("host") or address,
        port=port_number(container, action["port"]),
        target=_target(action.get("path") or "/"),
        named=named,
        headers=tuple(headers),
    )


def _target(path: str) -> str:
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/" + quote(path.lstrip("/"), safe=_SAFE)
    target = quote(parts.path, safe=_SAFE)
    if not target.startswith("/"):
        target = "/" + target
    return f"{target}?{quote(parts.query, safe=_SAFE + '?')}" if parts.query else target


def try_http(asked: Request, address: str) -> Talk[Outcome]:
    """Args: address: where the request's host is."""
    try:
        head, body = yield from _get(asked, address)
    except _Failed as failed:
        return failed.outcome
    if not 200 <= head.status < 400:
        # What it said may be meant for fewer eyes than an Event has.
        return Outcome(False, f"HTTP probe failed with statuscode: {head.status}")
    if head.status < 300:
        return Outcome(True)
    said = body.decode("utf-8", "replace")
    return Outcome(True, f"Probe terminated redirects, Response body: {said}", warning=True)


def request(address: str, container: Object, action: Object, timeout: float) -> tuple[int, bytes]:
    """Send the HTTP GET of a hook, in this thread; its status and the start of its body. Raises OSError (TimeoutError
    among them), ValueError and http.client.HTTPException."""
    asked = request_of(action, container, address, "lifecycle")
    at = asked.host
    if not is_numeric(at):
        at = socket.getaddrinfo(at, None, type=socket.SOCK_STREAM)[0][4][0]  # type: ignore[assignment]
    try:
        head, body = drive(_get(asked, at), timeout, SystemClock())
    except _Failed as failed:
        if isinstance(failed.__cause__, TimeoutError):
            raise failed.__cause__ from failed
        raise http.client.HTTPException(failed.outcome.message) from failed
    return head.status, body


class _Failed(Exception):
    """A request was not answered."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


def _get(asked: Request, address: str) -> Talk[tuple[Head, bytes]]:
    """The answer, after following redirections to the same host. Raises _Failed."""
    first = asked
    for _ in range(REDIRECTS_MAX):
        head, body = yield from _exchange(asked, address)
        location = head.get("location")
        if head.status not in _FOLLOWED or not location:
            return head, body
        following = _redirected(asked, location)
        if following is None or following.host.lower() != first.host.lower():
            return head, body
        asked = following
    raise _Failed(Outcome(False, f'Get "{asked.url}": stopped after {REDIRECTS_MAX} redirects'))


def _redirected(asked: Request, location: str) -> Request | None:
    """Where a Location leads; None if nobody can go there."""
    try:
        parts = urlsplit(urljoin(asked.url, location))
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    relative = not urlsplit(location).netloc
    target = _target(parts.path + (f"?{parts.query}" if parts.query else ""))
    named = asked.named if relative else ""
    return replace(
        asked, scheme=parts.scheme, host=parts.hostname or "", port=port, target=target, named=named
    )


def _exchange(asked: Request, address: str) -> Talk[tuple[Head, bytes]]:
    """One request and its answer. Raises _Failed."""

    def fail(why: str, cause: BaseException, unknown: bool = False) -> _Failed:
        said = why if unknown else f'Get "{asked.url}": {why}'
        failed = _Failed(Outcome(False, said, unknown=unknown))
        failed.__cause__ = cause
        return failed

    sock = new_socket(address)
    try:
        try:
            yield from connect(sock, address, asked.port)
        except OSError as exc:
            raise fail(dial_error(exc, asked.host, asked.port) + _late(exc), exc) from exc
        try:
            if asked.scheme == "https":
                sock = yield from begin_tls(sock, asked.host)
            yield from send(sock, asked.encoded())
            head = yield from read_head(sock)
        except TimeoutError as exc:
            raise fail(_AWAITING, exc) from exc
        except Malformed as exc:
            raise fail(_words(asked, exc), exc) from exc
        except OSError as exc:
            raise fail(_broken(exc), exc) from exc
        try:
            body = yield from read_body(sock, head)
        except TimeoutError as exc:
            raise fail(_READING, exc, unknown=True) from exc
        except (OSError, Malformed) as exc:
            raise fail(str(exc), exc, unknown=True) from exc
        return head, body
    finally:
        sock.close()


def _late(exc: OSError) -> str:
    late = isinstance(exc, TimeoutError) and not exc.args
    return " (Client.Timeout exceeded while awaiting headers)" if late else ""


def _words(asked: Request, exc: Malformed) -> str:
    if asked.scheme == "https" and exc.said.startswith(b"HTTP/"):
        return "http: server gave HTTP response to HTTPS client"
    return str(exc)


def _broken(exc: OSError) -> str:
    reason = getattr(exc, "reason", "")
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return "http: server gave HTTP response to HTTPS client"
    if isinstance(exc, ConnectionResetError):
        return "read: connection reset by peer"
    return f"{(exc.strerror or str(exc)).lower()}"
