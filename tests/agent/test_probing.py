"""Probes and hooks against real servers on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.agent.world import pod
from tests.clock import HandClock
from workers.agent.pod import ref
from workers.agent.probing import MachineProber, Outcome, Try
from workers.runtime.protocol import ContainerSpec, SandboxSpec
from workers.runtime.simulated import SimulatedRuntime


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/slow":
            threading.Event().wait(1.0)
        self.send_response({"/ok": 200, "/moved": 302}.get(self.path, 503))
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield int(server.server_address[1])
    server.shutdown()
    server.server_close()


def attempt(handler: dict[str, Any], port: int, exit_code: str = "0") -> Outcome:
    asked = pod(annotations={"exec-exit-code": exit_code}, ports=[{"name": "http", "containerPort": port}])
    runtime = SimulatedRuntime(HandClock())
    annotations = asked["metadata"]["annotations"]
    runtime.start_sandbox(SandboxSpec(ref(asked), "127.0.0.1", "web", annotations=annotations))
    started = runtime.start_container(ref(asked), ContainerSpec("web", 0, "web:1"))
    container = asked["spec"]["containers"][0]
    return MachineProber(runtime).probe(Try(ref(asked), container, started.id, "127.0.0.1", handler, 0.3))


@pytest.mark.parametrize(
    ("path", "ok", "words"),
    [
        ("/ok", True, ""),
        ("/moved", True, ""),
        ("/bad", False, "HTTP probe failed with statuscode: 503"),
        ("/slow", False, "context deadline exceeded"),
    ],
)
def test_http_probes(port: int, path: str, ok: bool, words: str) -> None:
    outcome = attempt({"httpGet": {"port": "http", "path": path}}, port)
    assert outcome.ok is ok
    assert words in outcome.message


def test_a_port_nobody_listens_on_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        free = taken.getsockname()[1]
    for handler in ({"httpGet": {"port": free}}, {"tcpSocket": {"port": free}}):
        outcome = attempt(handler, free)
        assert not outcome.ok
        assert f"dial tcp 127.0.0.1:{free}: connect: connection refused" in outcome.message


def test_tcp_and_exec_probes(port: int) -> None:
    assert attempt({"tcpSocket": {"port": port}}, port).ok
    assert attempt({"exec": {"command": ["true"]}}, port).ok
    assert not attempt({"exec": {"command": ["false"]}}, port, exit_code="3").ok


def test_a_port_name_that_does_not_exist_fails_the_probe_and_says_so() -> None:
    assert "no port named 'nothing'" in attempt({"tcpSocket": {"port": "nothing"}}, 1).message
