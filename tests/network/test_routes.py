"""Routes between machines, which are network namespaces here, joined by one link."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.clock import HandClock
from tests.network.conftest import Machine
from workers.network.routes import CHECK_SECONDS, Routes, wanted

PODS = "10.244.0.0/16"
HERE, THERE, AWAY = "198.51.100.1", "198.51.100.2", "203.0.113.9"
PEERS = {"n1": (HERE, "10.244.1.0/24"), "n2": (HERE, "10.244.2.0/24"), "n3": (THERE, "10.244.3.0/24")}


# The routes that keep the machine's own pods on it.
OWN = ["10.244.1.0/24", "10.244.2.0/24"]


def test_ranges_on_other_machines_lead_there_and_those_on_this_one_stay() -> None:
    peers = [*PEERS.values(), ("", "10.244.4.0/24"), (THERE, "")]
    assert wanted(peers, HERE) == {**dict.fromkeys(OWN, ""), "10.244.3.0/24": THERE}
    assert wanted(peers, THERE) == {**dict.fromkeys(OWN, HERE), "10.244.3.0/24": ""}


@pytest.fixture
def machines(machine: Machine) -> Iterator[tuple[str, str]]:
    """Two machines on one link, each with a range of pods on a bridge."""
    names = f"{machine.tag}-m1", f"{machine.tag}-m2"

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)

    try:
        for name in names:
            ip("netns", "add", name)
        ip("-n", names[0], "link", "add", "e0", "type", "veth", "peer", "name", "e0", "netns", names[1])
        for name, address, pods in zip(names, (HERE, THERE), ("10.244.1.1/24", "10.244.3.1/24"), strict=True):
            ip("-n", name, "addr", "add", f"{address}/24", "dev", "e0")
            ip("-n", name, "link", "add", "pods", "type", "bridge")
            ip("-n", name, "addr", "add", pods, "dev", "pods")
            for link in ("lo", "e0", "pods"):
                ip("-n", name, "link", "set", link, "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def routes_of(name: str) -> list[str]:
    """Those that lead to another machine."""
    return [line for line in _ours(name) if "via" in line]


def kept(name: str) -> list[str]:
    """The ranges that don't leave the machine."""
    return [line for line in _ours(name) if "via" not in line]


def _ours(name: str) -> list[str]:
    said = _ip(name, "route", "show", "proto", "66")
    return sorted(line.partition(" dev")[0].strip() for line in said.splitlines())


def _ip(name: str, *words: str) -> str:
    call = ["ip", "-n", name, "-4", *words]
    return subprocess.run(call, capture_output=True, text=True, check=True, timeout=20).stdout


def test_pods_of_another_machine_are_reached_at_their_own_addresses(
    machine: Machine, machines: tuple[str, str]
) -> None:
    for name, own in zip(machines, (HERE, THERE), strict=True):
        machine.inside(name, lambda own=own: Routes(PODS, HandClock()).apply(PEERS, own))
    server = machine.inside(machines[1], lambda: socket.create_server(("10.244.3.1", 8080)))

    def ask() -> str:
        source = ("10.244.1.1", 0)
        with socket.create_connection(("10.244.3.1", 8080), timeout=5, source_address=source) as sock:
            return sock.recv(100).decode()

    with server, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(machine.inside, machines[0], ask)
        conn, peer = server.accept()
        with conn:
            conn.sendall(peer[0].encode())
        assert answer.result() == "10.244.1.1"


def test_routes_follow_the_nodes_and_strangers_are_left_alone(
    machine: Machine, machines: tuple[str, str]
) -> None:
    name = machines[0]
    foreign = ["ip", "-n", name, "route", "add", "10.99.0.0/24", "via", THERE, "proto", "66"]
    subprocess.run(foreign, check=True, timeout=20)
    stranger = f"10.99.0.0/24 via {THERE}"
    routes = Routes(PODS, HandClock())
    machine.inside(name, lambda: routes.apply(PEERS, HERE))
    assert routes_of(name) == [f"10.244.3.0/24 via {THERE}", stranger]
    moved = {"n1": PEERS["n1"], "n4": (THERE, "10.244.4.0/24")}
    # A new agent finds what the last one left.
    routes = Routes(PODS, HandClock())
    machine.inside(name, lambda: routes.apply(moved, HERE))
    assert routes_of(name) == [f"10.244.4.0/24 via {THERE}", stranger]
    assert kept(name) == OWN[:1]
    machine.inside(name, routes.remove)
    assert (routes_of(name), kept(name)) == ([stranger], [])


def test_what_is_meant_for_this_machines_pods_does_not_leave_it_while_their_bridge_is_gone(
    machine: Machine, machines: tuple[str, str]
) -> None:
    name = machines[0]
    _ip(name, "route", "add", "default", "via", THERE)
    machine.inside(name, lambda: Routes(PODS, HandClock()).apply(PEERS, HERE))
    assert "dev pods" in _ip(name, "route", "get", "10.244.1.5")
    _ip(name, "link", "delete", "pods")
    # The address it has on the way to others: what was begun then goes on when the bridge is back.
    assert f"dev lo src {HERE}" in _ip(name, "route", "get", "10.244.1.5")
    for words in (["link", "add", "pods", "type", "bridge"], ["addr", "add", "10.244.1.1/24", "dev", "pods"]):
        _ip(name, *words)
    _ip(name, "link", "set", "pods", "up")
    assert "dev pods" in _ip(name, "route", "get", "10.244.1.5")


def test_a_node_whose_address_its_machine_does_not_know_keeps_its_pods_too(
    machine: Machine, machines: tuple[str, str]
) -> None:
    routes = Routes(PODS, HandClock())
    machine.inside(machines[0], lambda: routes.apply({"n1": (AWAY, "10.244.1.0/24")}, AWAY))
    assert kept(machines[0]) == OWN[:1]
    assert routes.problems() == {}


def test_a_machine_behind_a_router_is_told_of_and_does_not_keep_others_from_their_routes(
    machine: Machine, machines: tuple[str, str]
) -> None:
    routes = Routes(PODS, HandClock())
    machine.inside(machines[0], lambda: routes.apply({**PEERS, "n9": (AWAY, "10.244.9.0/24")}, HERE))
    assert routes_of(machines[0]) == [f"10.244.3.0/24 via {THERE}"]
    assert list(routes.problems()) == [f"pods of {AWAY}"]
    assert "no route to 10.244.9.0/24" in routes.problems()[f"pods of {AWAY}"]
    machine.inside(machines[0], lambda: routes.apply(PEERS, HERE))
    assert routes.problems() == {}


def test_a_route_that_was_taken_away_comes_back(machine: Machine, machines: tuple[str, str]) -> None:
    name, clock = machines[0], HandClock()
    routes = Routes(PODS, clock)
    machine.inside(name, lambda: routes.apply(PEERS, HERE))
    # As it happens to all routes of a link that goes down.
    subprocess.run(["ip", "-n", name, "route", "flush", "proto", "66"], check=True, timeout=20)
    clock.move(CHECK_SECONDS)
    machine.inside(name, lambda: routes.apply(PEERS, HERE))
    assert routes_of(name) == [f"10.244.3.0/24 via {THERE}"]


def test_a_route_that_can_not_be_set_is_tried_less_and_less_often(
    machine: Machine, machines: tuple[str, str]
) -> None:
    name, clock = machines[0], HandClock()
    peers = {"n1": PEERS["n1"], "n9": (AWAY, "10.244.9.0/24")}
    routes = Routes(PODS, clock)

    def apply() -> list[str]:
        machine.inside(name, lambda: routes.apply(peers, HERE))
        return routes_of(name)

    assert apply() == []
    clock.move(CHECK_SECONDS)
    assert apply() == []
    address = ["ip", "-n", name, "addr", "add", "203.0.113.1/24", "dev", "e0"]
    subprocess.run(address, check=True, timeout=20)
    clock.move(CHECK_SECONDS)
    assert apply() == []
    clock.move(CHECK_SECONDS)
    assert apply() == [f"10.244.9.0/24 via {AWAY}"]
    assert routes.problems() == {}
