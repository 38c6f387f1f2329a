"""Ports of the machine that the agent itself carries into pods."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from app.base.clock import SystemClock
from app.base.ids import RandomIds
from tests.contracts.runtime_subjects import eventually
from workers.network.host_ports import HostPorts, PortTaken, rules_for
from workers.network.rules import Rule

NODE, POD = "127.77.0.1", "127.77.0.9"


@pytest.fixture
def ports() -> Iterator[HostPorts]:
    made = HostPorts(SystemClock(), RandomIds())
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[int]:
    """A pod's server, which says where it was reached; its port."""
    with socket.create_server((POD, 0)) as listening:
        listening.settimeout(20)

        def serve() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                with line:
                    line.sendall(line.getsockname()[0].encode())

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def free() -> int:
    with socket.socket() as probe:
        probe.bind((NODE, 0))
        return int(probe.getsockname()[1])


def begins(ports: HostPorts, wanted: tuple[Rule, ...]) -> bool:
    try:
        ports.serve("second", wanted)
    except PortTaken:
        return False
    return True


def reached(address: str, port: int) -> str:
    with socket.create_connection((address, port), 20) as line:
        return line.recv(100).decode()


def test_a_host_port_leads_into_the_pod_from_the_nodes_addresses(ports: HostPorts, server: int) -> None:
    # The pod listens on the very same number at its own address.
    ports.serve("u", rules_for("default/web", POD, NODE, (("", "TCP", server, server),)))
    assert reached(NODE, server) == reached("127.0.0.1", server) == POD
    ports.serve("u", ())
    with pytest.raises(ConnectionRefusedError):
        reached(NODE, server)


def test_a_host_port_with_an_address_is_served_there_alone(ports: HostPorts, server: int) -> None:
    other = free()
    ports.serve("u", rules_for("default/web", POD, NODE, ((NODE, "TCP", other, server),)))
    assert reached(NODE, other) == POD
    with pytest.raises(ConnectionRefusedError):
        reached("127.0.0.1", other)


def test_a_port_that_is_taken_is_told_and_leaves_the_others_alone(ports: HostPorts, server: int) -> None:
    taken, other = free(), free()
    ports.serve("first", rules_for("default/one", POD, NODE, (("", "TCP", taken, server),)))
    again = HostPorts(SystemClock(), RandomIds())
    wanted = rules_for("default/two", POD, NODE, (("", "TCP", other, server), ("", "TCP", taken, server)))
    with pytest.raises(PortTaken, match=f"{taken}/TCP"):
        again.serve("second", wanted)
    with pytest.raises(ConnectionRefusedError):
        reached(NODE, other)
    ports.serve("first", ())
    # Whoever gave it up takes a moment to hang up properly.
    eventually(lambda: begins(again, wanted), "the port is free")
    assert reached(NODE, taken) == reached(NODE, other) == POD
    again.close()
