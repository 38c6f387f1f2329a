"""Probes of real containers: over their network, and by commands inside them."""

from __future__ import annotations

import queue
from typing import Any

import pytest

from tests.contracts.runtime_subjects import Subject, eventually, uid
from workers.agent.probing import MachineProber, Outcome, Try
from workers.runtime.protocol import Runtime


@pytest.fixture
def subject(real: Subject) -> Subject:
    return real


def test_a_container_is_probed_over_its_network_and_inside(subject: Subject, runtime: Runtime) -> None:
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    state = runtime.start_container(
        sandbox.pod, subject.container(subject.server(), env={"POD_IP": sandbox.address})
    )
    prober = MachineProber(runtime)
    container = {"name": "main", "ports": [{"name": "echo", "containerPort": 8099}]}

    def tried(handler: dict[str, Any], timeout: float = 10.0) -> Outcome:
        came: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        prober.probe(Try(sandbox.pod, container, state.id, sandbox.address, handler, timeout), came.put)
        return came.get(timeout=20)

    def command(script: str, timeout: float = 10.0) -> Outcome:
        return tried({"exec": {"command": ["/bin/sh", "-c", script]}}, timeout)

    eventually(lambda: tried({"tcpSocket": {"port": "echo"}}).ok, "it listens")
    refused = tried({"tcpSocket": {"port": 8098}})
    assert refused.message == f"dial tcp {sandbox.address}:8098: connect: connection refused"
    echoed = tried({"httpGet": {"port": "echo"}})
    assert 'malformed HTTP response "GET / HTTP/1.1"' in echoed.message
    assert command("echo well; exit 0") == Outcome(True, "well\n")
    assert command("echo ill >&2; exit 3") == Outcome(False, "ill\n")
    assert not tried({"exec": {"command": ["/no/such/program"]}}).ok
    late = command("echo begun; exec sleep 54321", 0.5)
    assert (late.ok, late.unknown) == (False, False)
    assert "timed out after" in late.message
    # What ran out of time is gone.
    count = (
        "ps | grep -c '[s]leep 54321'" if subject.name == "docker" else "pgrep -f '^sleep 5432[1]' | wc -l"
    )
    eventually(lambda: command(count).message.strip() == "0", "the command is killed")
    runtime.stop_container(sandbox.pod, state.id, 0)
    assert not command("exit 0").ok
    assert runtime.pod(uid(1)) is not None
    prober.close()
