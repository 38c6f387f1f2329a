"""A registry of images on loopback, as much of it as an engine's pull needs, which can be slow, strict, or broken.

https://distribution.github.io/distribution/spec/api/: manifests and blobs, with basic and with token authentication.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import http.server
import io
import json
import os
import platform
import tarfile
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import docker
import docker.errors

from tests.images.local import MADE_BY, RUN
from workers.runtime.docker import pause
from workers.runtime.docker.engine import connect

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
PIECE = 64 << 10


class Registry:
    """Serves images until `close`.

    Attributes:
        users: name -> password; empty: anybody may pull. tokens: users get a token first, and show that.
        down: every request is answered with this status, if not 0. held: while it is clear, blobs stop after their
            first bytes. pulls: requests for a manifest's content by name or digest. blobs: digests of what was sent in full.
        most_at_once: layers that were ever under way at the same time.
    """

    def __init__(self) -> None:
        self.users: dict[str, str] = {}
        self.tokens = False
        self.down = 0
        self.held = threading.Event()
        self.held.set()
        self.pulls: list[str] = []
        self.blobs: list[str] = []
        self.under_way = 0
        self.most_at_once = 0
        self._lock = threading.Lock()
        self._manifests: dict[str, bytes] = {}
        self._contents: dict[str, bytes] = {}
        registry = self

        class Handler(_Handler):
            owner = registry

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="registry", daemon=True).start()

    def close(self) -> None:
        self.held.set()
        self._server.shutdown()
        self._server.server_close()

    def remove_images(self, engine: docker.APIClient | None = None) -> None:
        """Take from the engine what was pulled from here."""
        client = engine or connect()
        for found in client.images():
            for name in (*(found["RepoTags"] or ()), *(found["RepoDigests"] or ())):
                if name.startswith(self.host):
                    with contextlib.suppress(docker.errors.APIError):
                        client.remove_image(name, force=True)
        if engine is None:
            client.close()

    def push(self, repository: str, tag: str = "1", size: int = 0) -> str:
        """Have an image whose one program waits for ever, with `size` bytes beside it, unlike any other. Returns its
        digest."""
        layer = _layer(size)
        config = {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "amd64"),
            "os": "linux",
            "config": {"Cmd": ["/pause"], "Labels": {MADE_BY: RUN}},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            "history": [{"created_by": "a test"}],
        }
        packed = gzip.compress(layer, 1)
        body = json.dumps(config).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "size": len(body), "digest": self._keep(body)},
            "layers": [{"mediaType": LAYER, "size": len(packed), "digest": self._keep(packed)}],
        }
        text = json.dumps(manifest).encode()
        digest = _digest(text)
        for reference in (tag, digest):
            self._manifests[f"{repository}/{reference}"] = text
        return digest

    def _keep(self, content: bytes) -> str:
        digest = _digest(content)
        self._contents[digest] = content
        return digest

    def answer(self, request: _Handler) -> None:
        """One GET or HEAD."""
        url = urlsplit(request.path)
        if self.down:
            request.send_error(self.down)
        elif url.path == "/token":
            self._give_token(request, parse_qs(url.query))
        elif not self._admitted(request):
            request.refuse(self.tokens, self.host)
        elif url.path in ("/v2", "/v2/"):
            request.send(b"{}", "application/json")
        else:
            repository, (kind, reference) = _parts(url.path)
            if kind == "manifests" and f"{repository}/{reference}" in self._manifests:
                if request.command == "GET":
                    self.pulls.append(f"{repository}/{reference}")
                text = self._manifests[f"{repository}/{reference}"]
                request.send(text, MANIFEST, {"Docker-Content-Digest": _digest(text)})
            elif kind == "blobs" and reference in self._contents:
                self._send_blob(request, reference)
            else:
                said = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
                request.send(json.dumps(said).encode(), "application/json", status=404)

    def _give_token(self, request: _Handler, query: dict[str, list[str]]) -> None:
        user = request.user()
        if user is None or self.users.get(user[0]) != user[1]:
            request.send_error(401)
            return
        assert query["service"] == [self.host]
        request.send(json.dumps({"token": f"for-{user[0]}"}).encode(), "application/json")

    def _admitted(self, request: _Handler) -> bool:
        if not self.users:
            return True
        shown = request.headers.get("Authorization", "")
        if self.tokens:
            return shown in {f"Bearer for-{name}" for name in self.users}
        user = request.user()
        return user is not None and self.users.get(user[0]) == user[1]

    def _send_blob(self, request: _Handler, digest: str) -> None:
        content = self._contents[digest]
        large = len(content) > PIECE
        with self._lock:
            self.under_way += large
            self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            request.begin(len(content), "application/octet-stream")
            request.wfile.write(content[:PIECE])
            if large:
                self.held.wait(60)
                request.wfile.write(content[PIECE:])
            self.blobs.append(digest)
        finally:
            with self._lock:
                self.under_way -= large


class _Handler(http.server.BaseHTTPRequestHandler):
    owner: Registry
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        # An engine may hang up in the middle.
        with contextlib.suppress(ConnectionError):
            self.owner.answer(self)

    do_HEAD = do_GET

    def user(self) -> tuple[str, str] | None:
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return None
        name, _, password = base64.b64decode(text).decode().partition(":")
        return name, password

    def refuse(self, tokens: bool, host: str) -> None:
        way = f'Bearer realm="http://{host}/token",service="{host}"' if tokens else 'Basic realm="tests"'
        said = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
        self.send(json.dumps(said).encode(), "application/json", {"WWW-Authenticate": way}, status=401)

    def send(self, body: bytes, kind: str, more: dict[str, str] | None = None, status: int = 200) -> None:
        self.begin(len(body), kind, more, status)
        if self.command == "GET":
            self.wfile.write(body)

    def begin(self, length: int, kind: str, more: dict[str, str] | None = None, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing: engines try TLS first, which this server does not speak."""


def _parts(path: str) -> tuple[str, tuple[str, str]]:
    pieces = path.removeprefix("/v2/").split("/")
    if len(pieces) < 3:
        return "", ("", "")
    return "/".join(pieces[:-2]), (pieces[-2], pieces[-1])


def _layer(size: int) -> bytes:
    program = pause.elf(platform.machine()) or b""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content, mode in (("pause", program, 0o755), ("unique", os.urandom(size + 16), 0o644)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
