"""One HTTPS POST to a webhook, with the error texts of Go's client, which people search for."""

from __future__ import annotations

import re
import ssl
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Timeout

from app.base.errors import BeanpoleError

# Connections to so many webhooks are kept open, and so many to each.
ENDPOINTS = 64
CONNECTIONS = 8
# A webhook's answer may not be longer. Bytes.
LONGEST = 16 * 1024 * 1024


class CallFailed(BeanpoleError):
    """The webhook gave no usable answer; says why, as `Post "https://...": context deadline exceeded`."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a webhook listens.

    Attributes:
        host, port: what is connected to. `server_name`: what its certificate must be for.
        path: with the query. `shown`: the URL as messages name it.
        ca: PEM of who must have signed the certificate; empty: the machine's own authorities.
    """

    host: str
    port: int
    server_name: str
    path: str
    shown: str
    ca: str = ""


class WebhookClient:
    """Calls webhooks; safe to use from many threads."""

    def __init__(self, user_agent: str = "beanpole") -> None:
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": user_agent,
        }
        self._pools: OrderedDict[tuple[str, int, str, str], urllib3.HTTPSConnectionPool] = OrderedDict()
        self._lock = Lock()

    def post(self, endpoint: Endpoint, body: bytes, seconds: float) -> bytes:
        """The body of the answer. Raises CallFailed."""
        said = f'Post "{endpoint.shown}"'
        try:
            response = self._pool(endpoint).request(
                "POST",
                endpoint.path,
                body=body,
                headers={**self._headers, "Host": _authority(endpoint)},
                timeout=Timeout(total=seconds),
                retries=urllib3.Retry(0, connect=1, read=0, redirect=0, status=0, other=0),
                redirect=False,
                preload_content=False,
            )
            data = response.read(LONGEST + 1)
            response.release_conn()
        except (HTTPError, OSError, ssl.SSLError, ValueError) as exc:
            raise CallFailed(f"{said}: {_why(exc, endpoint)}") from exc
        if len(data) > LONGEST:
            raise CallFailed(f"{said}: the answer is longer than {LONGEST} bytes")
        if response.status != 200:
            raise CallFailed(_status(response.status, data))
        return bytes(data)

    def close(self) -> None:
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()

    def _pool(self, endpoint: Endpoint) -> urllib3.HTTPSConnectionPool:
        key = (endpoint.host, endpoint.port, endpoint.server_name, endpoint.ca)
        with self._lock:
            pool = self._pools.pop(key, None)
            if pool is None:
                context = ssl.create_default_context(cadata=endpoint.ca or None)
                context.verify_flags &= ~ssl.VERIFY_X509_STRICT
                pool = urllib3.HTTPSConnectionPool(
                    endpoint.host, endpoint.port, ssl_context=context, server_hostname=endpoint.server_name,
                    assert_hostname=endpoint.server_name, maxsize=CONNECTIONS, block=False,
                )  # fmt: skip
            self._pools[key] = pool
            if len(self._pools) > ENDPOINTS:
                self._pools.popitem(last=False)[1].close()
        return pool


def _authority(endpoint: Endpoint) -> str:
    name = f"[{endpoint.server_name}]" if ":" in endpoint.server_name else endpoint.server_name
    return f"{name}:{endpoint.port}"


def _why(exc: BaseException, endpoint: Endpoint) -> str:
    if isinstance(exc, MaxRetryError) and exc.reason is not None:
        exc = exc.reason
    if isinstance(exc, ConnectTimeoutError | ReadTimeoutError | TimeoutError):
        return "context deadline exceeded"
    text = str(exc)
    if isinstance(exc, SSLError | ssl.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return f"tls: failed to verify certificate: x509: {_certificate_fault(text, endpoint)}"
        return f"tls: {text}"
    if isinstance(exc, NewConnectionError | OSError):
        said = re.search(r"\[Errno -?\d+\] (.+?)\)?'?$", text)
        cause = said[1].lower() if said else text
        if "name or service not known" in cause or "name resolution" in cause:
            return f"dial tcp: lookup {endpoint.host}: no such host"
        return f"dial tcp {endpoint.host}:{endpoint.port}: connect: {cause}"
    return "EOF" if "closed connection without response" in text or "Connection aborted" in text else text


def _certificate_fault(text: str, endpoint: Endpoint) -> str:
    lower = text.lower()
    if "hostname mismatch" in lower or "ip address mismatch" in lower:
        return f"certificate is not valid for {endpoint.server_name}"
    if "expired" in lower:
        return "certificate has expired or is not yet valid"
    return "certificate signed by unknown authority"


def _status(code: int, data: bytes) -> str:
    """What client-go says of an answer other than 200."""
    if code == 404:
        return "the server could not find the requested resource"
    if code in (500, 502, 503):
        text = data[:2048].decode("utf-8", "replace").strip() or "unknown"
        return f'an error on the server ("{text}") has prevented the request from succeeding'
    return f"the server responded with the status code {code} but did not return more details"
