"""grpc probes against servers of the gRPC project's own library."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from tests.agent.probing.conftest import Server, Trial, throwaway

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


class _Slow(health.HealthServicer):
    """Answers only once it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def Check(self, request, context):  # type: ignore[no-untyped-def]
        if request.service == "slow":
            self.go_on.wait(10)
        return super().Check(request, context)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server whose service `shop` is well, `bank` is not, and `slow` takes its time."""
    service = _Slow()
    service.set("shop", SERVING)
    service.set("bank", NOT_SERVING)
    service.set("x" * 200, SERVING)
    server = grpc.server(ThreadPoolExecutor(4))
    health_pb2_grpc.add_HealthServicer_to_server(service, server)
    number = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield number
    service.go_on.set()
    server.stop(0)


@pytest.fixture(scope="module")
def bare() -> Iterator[int]:
    """A server without the health service."""
    server = grpc.server(ThreadPoolExecutor(1))
    number = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield number
    server.stop(0)


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ("", ""),
        ("shop", ""),
        ("x" * 200, ""),
        ("bank", 'service unhealthy (responded with "NOT_SERVING")'),
        ("nobody", "error: health rpc probe failed: rpc error: code = NotFound desc = "),
    ],
)
def test_a_service_is_well_if_it_says_so(trial: Trial, port: int, service: str, message: str) -> None:
    outcome = trial({"grpc": {"port": port, "service": service}})
    assert outcome.ok is (message == "")
    assert outcome.message.startswith(message)


def test_a_server_without_the_health_service_is_told_so(trial: Trial, bare: int) -> None:
    lacks = "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
    assert trial({"grpc": {"port": bare}}).message.startswith(lacks)


def test_an_answer_that_does_not_come_in_time_is_a_failure(trial: Trial, port: int) -> None:
    outcome = trial({"grpc": {"port": port, "service": "slow"}}, timeout=0.2)
    assert outcome.message.startswith("timeout: health rpc did not complete within ")


def test_tls_is_spoken_where_the_manifest_says_so(trial: Trial, tmp_path: Path) -> None:
    certificate, key = (file.read_bytes() for file in throwaway(tmp_path))
    service = health.HealthServicer()
    service.set("", SERVING)
    server = grpc.server(ThreadPoolExecutor(1))
    health_pb2_grpc.add_HealthServicer_to_server(service, server)
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
    server.start()
    assert trial({"grpc": {"port": port, "mode": "TLS"}}).ok
    assert not trial({"grpc": {"port": port}}, timeout=0.5).ok
    server.stop(0)


def test_a_server_that_speaks_something_else_is_no_grpc_server(trial: Trial, server: Server) -> None:
    outcome = trial({"grpc": {"port": server.port}}, timeout=0.5)
    assert not outcome.ok
    assert f'failed to connect service "127.0.0.1:{server.port}"' in outcome.message.replace(
        "service at", "service"
    )


def test_a_port_where_nobody_listens_is_refused(trial: Trial) -> None:
    message = trial({"grpc": {"port": 1}}).message
    assert message.startswith(
        'error: failed to connect service at "127.0.0.1:1": dial tcp 127.0.0.1:1: connect: '
    )
