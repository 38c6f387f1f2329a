"""One try of a probe, made as the agent makes it, and a server on loopback to be tried."""

from __future__ import annotations

import queue
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.base.clock import SystemClock
from app.trust import authority as pki
from workers.agent.probing import MachineProber, Outcome, Try
from workers.runtime.protocol import PodRef

POD = PodRef("u1", "default", "web")
WAIT = 10.0


class NoRuntime:
    """A runtime that runs no command; `exec` is what it does instead."""

    name = "test"

    def __init__(self, exec: Callable[..., tuple[int, bytes]] | None = None) -> None:
        self._exec = exec

    def exec(self, pod: PodRef, cid: str, command: Sequence[str], timeout: float) -> tuple[int, bytes]:
        assert self._exec is not None
        return self._exec(command, timeout)


def attempt(
    handler: dict[str, Any],
    container: dict[str, Any] | None = None,
    timeout: float = 2.0,
    address: str = "127.0.0.1",
) -> Try:
    return Try(POD, container or {"name": "web"}, "c1", address, handler, timeout)


class Trial:
    """Makes tries and waits for what comes of them."""

    def __init__(self) -> None:
        self.runtime = NoRuntime()
        self.prober = MachineProber(self.runtime)  # type: ignore[arg-type]

    def __call__(self, handler: dict[str, Any], **more: Any) -> Outcome:
        came: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.prober.probe(attempt(handler, **more), came.put)
        return came.get(timeout=WAIT)


@pytest.fixture
def trial() -> Iterator[Trial]:
    made = Trial()
    yield made
    made.prober.close()


class Handler(BaseHTTPRequestHandler):
    """`/status/<n>` answers with that, `/to?<url>` leads there, `/round` to itself, `/slow` waits."""

    protocol_version = "HTTP/1.1"
    heard: list[tuple[str, list[tuple[str, str]]]]
    go_on: threading.Event

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.heard.append((self.path, self.headers.items()))
        path, _, query = self.path.partition("?")
        status, body, more = 200, b"fine", {}
        if path.startswith("/status/"):
            status = int(path.rpartition("/")[2])
        elif path == "/to":
            status, body, more = 302, b"go away", {"Location": query}
        elif path == "/round":
            status, more = 307, {"Location": "/round"}
        elif path == "/slow":
            self.go_on.wait(WAIT)
        elif path == "/slow-body":
            self._begin_body()
            return
        elif path == "/chunked":
            self._send_chunks()
            return
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _begin_body(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"a part")
        self.wfile.flush()
        self.go_on.wait(WAIT)

    def _send_chunks(self) -> None:
        self.send_response(300)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in (b"one ", b"two ", b"three"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[tuple[str, list[tuple[str, str]]]] = []
        self.go_on = threading.Event()
        handler = type("_Handler", (Handler,), {"heard": self.heard, "go_on": self.go_on})
        super().__init__(("127.0.0.1", 0), handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever probes hangs up when it has seen enough."""


def running(server: Server) -> Iterator[Server]:
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    yield from running(Server())


def throwaway(folder: Path) -> tuple[Path, Path]:
    """A certificate that nobody vouches for, and its key, in files."""
    now = SystemClock().now()
    pair = pki.make_server_pair(pki.make_authority("test", now), ["other.example"], now)
    files = folder / "server.crt", folder / "server.key"
    for file, content in zip(files, pair, strict=True):
        file.write_bytes(content)
    return files


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[Server]:
    """One with a certificate that nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*throwaway(tmp_path))
    yield from running(Server(context))
