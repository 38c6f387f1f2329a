"""A lean client: one TLS connection kept open, and no more work per request than HTTP needs.

The measured thing is the server, so the client must cost little. `http.client` spends more on parsing
headers than some servers do on answering.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

JSON = "application/json"
MERGE = "application/merge-patch+json"


class ApiFailure(Exception):
    """The server did not answer as it should."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the server is and what to show it; made from the current context of a kubeconfig."""

    host: str
    port: int
    tls: bool
    ca: str
    cert: str
    token: str
    verify: bool

    def context(self) -> ssl.SSLContext:
        made = ssl.create_default_context(cadata=self.ca or None)
        if not self.verify:
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        if self.cert:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem:
                pem.write(self.cert)
                pem.flush()
                made.load_cert_chain(pem.name)
        return made


def read(path: Path) -> Access:
    """The access that a kubeconfig's current context gives."""
    config = yaml.safe_load(path.read_text())
    named = {c["name"]: c["context"] for c in config["contexts"]}[config["current-context"]]
    cluster = {c["name"]: c["cluster"] for c in config["clusters"]}[named["cluster"]]
    user = {u["name"]: u["user"] for u in config["users"]}[named["user"]]
    url = urlsplit(cluster["server"])

    def text(source: dict[str, Any], name: str) -> str:
        if source.get(name + "-data"):
            return base64.b64decode(source[name + "-data"]).decode()
        return (path.parent / source[name]).read_text() if source.get(name) else ""

    return Access(
        url.hostname or "127.0.0.1",
        url.port or (443 if url.scheme == "https" else 80),
        url.scheme == "https",
        text(cluster, "certificate-authority"),
        text(user, "client-certificate") + text(user, "client-key"),
        user.get("token", ""),
        not cluster.get("insecure-skip-tls-verify", False),
    )


class Client:
    """One connection. Not for two threads at a time."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._context = access.context() if access.tls else None
        self._socket: socket.socket | None = None
        self._rest = b""
        self._head = f"Host: {access.host}:{access.port}\r\nAccept: application/json\r\n" + (
            f"Authorization: Bearer {access.token}\r\n" if access.token else ""
        )

    def request(self, method: str, path: str, body: bytes = b"", kind: str = JSON) -> tuple[int, bytes]:
        """Status and body. Raises OSError if the connection breaks, and ApiFailure on what is no HTTP."""
        sock = self._socket or self._connect()
        length = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n" if body else ""
        try:
            sock.sendall(f"{method} {path} HTTP/1.1\r\n{self._head}{length}\r\n".encode() + body)
            return self._response(sock)
        except (OSError, ApiFailure):
            self.close()
            raise

    def json(self, method: str, path: str, obj: object = None, kind: str = JSON) -> Any:
        """The object answered. Raises ApiFailure with the server's words if it is no success."""
        status, body = self.request(method, path, b"" if obj is None else json.dumps(obj).encode(), kind)
        if status >= 300:
            raise ApiFailure(f"{method} {path}: {status} {body[:300].decode(errors='replace')}")
        return json.loads(body)

    def watch(self, path: str, seconds: int = 300) -> Iterator[dict[str, Any]]:
        """Events of a watch, on a connection of its own, until the server ends it."""
        access = self._access
        made = (
            HTTPSConnection(access.host, access.port, timeout=seconds, context=self._context)
            if access.tls
            else HTTPConnection(access.host, access.port, timeout=seconds)
        )
        try:
            joint = "&" if "?" in path else "?"
            headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}
            made.request("GET", f"{path}{joint}watch=1&timeoutSeconds={seconds}", headers=headers)
            response = made.getresponse()
            if response.status != 200:
                raise ApiFailure(f"watch {path}: {response.status} {response.read(300)!r}")
            while line := response.readline():
                yield json.loads(line)
        finally:
            made.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""

    def _connect(self) -> socket.socket:
        plain = socket.create_connection((self._access.host, self._access.port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = self._access.host
        self._socket = self._context.wrap_socket(plain, server_hostname=name) if self._context else plain
        return self._socket

    def _response(self, sock: socket.socket) -> tuple[int, bytes]:
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more(sock)
        head, data = data[:end].lower(), data[end + 4 :]
        status = int(head[9:12])
        at = head.find(b"\r\ncontent-length:")
        if at >= 0:
            size = int(head[at + 17 :].split(b"\r\n", 1)[0])
            pieces, have = [data], len(data)
            while have < size:
                pieces.append(self._more(sock))
                have += len(pieces[-1])
            whole = b"".join(pieces)
            body, self._rest = whole[:size], whole[size:]
        elif b"chunked" in head:
            body, self._rest = self._chunks(sock, data)
        else:
            body, self._rest = b"", data
        if b"\r\nconnection: close" in head:
            self.close()
        return status, body

    def _chunks(self, sock: socket.socket, data: bytes) -> tuple[bytes, bytes]:
        buffer, at, pieces = bytearray(data), 0, []
        while True:
            while (end := buffer.find(b"\r\n", at)) < 0:
                buffer += self._more(sock)
            size = int(bytes(buffer[at:end]).split(b";")[0], 16)
            while len(buffer) < end + 4 + size:
                buffer += self._more(sock)
            if size == 0:
                return b"".join(pieces), bytes(buffer[end + 4 :])
            pieces.append(bytes(buffer[end + 2 : end + 2 + size]))
            at = end + 4 + size

    @staticmethod
    def _more(sock: socket.socket) -> bytes:
        data = sock.recv(1 << 18)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        return data
