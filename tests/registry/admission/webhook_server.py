"""A webhook on the loopback, over TLS, that answers as a test decides."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from app.trust import authority as pki

Answer = Callable[[dict[str, Any]], Any]


class WebhookServer:
    """Serves `answers[path]`; keeps what it was asked in `asked[path]`."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        now = time.time()
        authority = pki.make_authority("webhooks", now)
        pki.save_authority(authority, folder / "ca.pem", folder / "ca.key")
        certificate, key = pki.make_server_pair(authority, names, now)
        (folder / "hook.pem").write_bytes(certificate)
        (folder / "hook.key").write_bytes(key)
        self.ca_bundle = base64.b64encode((folder / "ca.pem").read_bytes()).decode()
        self.answers: dict[str, Answer] = {}
        self.asked: dict[str, list[dict[str, Any]]] = {}
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = self.path.partition("?")[0]
                outer.asked.setdefault(path, []).append(review["request"])
                said = outer.answers[path](review["request"])
                code, data = said if isinstance(said, tuple) else (200, json.dumps(said).encode())
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "hook.pem", folder / "hook.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"https://127.0.0.1:{self.port}{path}"

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


def review(request: dict[str, Any], **response: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": request["uid"], "allowed": True, **response},
    }


def patching(*operations: dict[str, Any]) -> Answer:
    patch = base64.b64encode(json.dumps(list(operations)).encode()).decode()
    return lambda request: review(request, patch=patch, patchType="JSONPatch")


def denying(message: str = "", code: int = 0, reason: str = "") -> Answer:
    status = {k: v for k, v in (("message", message), ("code", code), ("reason", reason)) if v}
    return lambda request: review(request, allowed=False, **({"status": status} if status else {}))
