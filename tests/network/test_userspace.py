"""The proxy in user space, with real sockets on loopback addresses."""

from __future__ import annotations

import os
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from workers.network.rules import Endpoint, Rule, Rules
from workers.network.userspace import UserspacePlane

# Loopback addresses are the whole machine's: other test processes must not have the same ones.
PART = 16 + os.getpid() % 48
SERVICE = f"127.{PART + 48}.77.1"
PORT = 18080


def at(rest: str) -> str:
    """A pod's address, or what it says, from the last two numbers on."""
    return f"127.{PART}.{rest}"


class Server:
    """A pod: answers each connection with its own name once the client has closed its half."""

    def __init__(self, ip: str, port: int = PORT) -> None:
        self.endpoint = Endpoint(ip, port)
        self._socket = socket.create_server((ip, port), backlog=256)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                conn, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(conn,), daemon=True).start()

    def _answer(self, conn: socket.socket) -> None:
        with conn:
            said = b""
            while data := conn.recv(65536):
                said += data
            conn.sendall(self.endpoint.ip.encode() + b" " + said)

    def _connections(self) -> int:
        """As the kernel counts them, those included that wait to be accepted."""
        ip = int.from_bytes(socket.inet_aton(self.endpoint.ip), "little")
        here = f"{ip:08X}:{self.endpoint.port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(1 for row in rows if row[1] == here and row[3] in ("01", "08"))

    def close_when_idle(self) -> None:
        """What an agent does with a pod that has left the rules, before it stops it."""
        waited = threading.Event()
        assert any(self._connections() == 0 or waited.wait(0.002) for _ in range(5000))
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def rules(*endpoints: Endpoint, revision: int = 1, **kind) -> Rules:
    rule = Rule(SERVICE, kind.pop("protocol", "TCP"), PORT, "default/web", tuple(sorted(endpoints)), **kind)
    return Rules((rule,), revision)


def request(body: bytes = b"hello", address=(SERVICE, PORT)) -> bytes:
    with socket.create_connection(address, timeout=10) as sock:
        sock.sendall(body)
        sock.shutdown(socket.SHUT_WR)
        said = b""
        while data := sock.recv(65536):
            said += data
    return said


@pytest.fixture
def plane():
    with closing(UserspacePlane()) as made:
        yield made


def test_no_request_fails_while_endpoints_come_and_go(plane):
    servers = {ip: Server(ip) for ip in (at("77.1"), at("77.2"), at("77.3"))}
    plane.apply(rules(*(s.endpoint for s in servers.values())))
    stop = threading.Event()
    failed: list[Exception] = []
    answered: list[int] = []

    def client() -> None:
        count = 0
        while not stop.is_set():
            try:
                assert request().endswith(b" hello")
                count += 1
            except (OSError, AssertionError) as exc:
                failed.append(exc)
        answered.append(count)

    clients = [threading.Thread(target=client) for _ in range(4)]
    for thread in clients:
        thread.start()
    draw = random.Random(7)
    fresh = 4
    for revision in range(2, 42):
        leaving = servers.pop(draw.choice(sorted(servers)))
        ip = at(f"77.{fresh}")
        fresh += 1
        servers[ip] = Server(ip)
        plane.apply(rules(*(s.endpoint for s in servers.values()), revision=revision))
        leaving.close_when_idle()
    total = 0
    while total < 500 and not failed:  # the churn is over; go on a little on what is left
        request()
        total += 1
    stop.set()
    for thread in clients:
        thread.join(timeout=20)
    assert failed == []
    assert sum(answered) + total > 1000


def test_connections_are_spread_over_all_endpoints(plane):
    servers = [Server(at(f"78.{n}")) for n in (1, 2, 3)]
    plane.apply(rules(*(s.endpoint for s in servers)))
    assert {request().split()[0].decode() for _ in range(60)} == {s.endpoint.ip for s in servers}


def test_a_connection_outlives_its_endpoints_rule_and_new_ones_go_elsewhere(plane):
    old, new = Server(at("79.1")), Server(at("79.2"))
    plane.apply(rules(old.endpoint))
    with socket.create_connection((SERVICE, PORT), timeout=5) as held:
        held.sendall(b"first ")
        plane.apply(rules(new.endpoint, revision=2))
        assert request() == at("79.2 hello").encode()
        held.sendall(b"second")
        held.shutdown(socket.SHUT_WR)
        assert held.recv(100) == at("79.1 first second").encode()


def test_a_service_without_endpoints_refuses_at_once(plane):
    plane.apply(rules(Server(at("80.1")).endpoint))
    request()
    plane.apply(rules(revision=2))

    def refused() -> bool:
        try:
            request()
        except ConnectionRefusedError:
            return True
        return False

    assert any(refused() for _ in range(3))
    assert plane.revision == 2


def test_an_endpoint_that_refuses_costs_no_request(plane):
    alive = Server(at("81.1"))
    plane.apply(rules(alive.endpoint, Endpoint(at("81.2"), PORT), Endpoint(at("81.3"), PORT)))
    assert {request() for _ in range(30)} == {at("81.1 hello").encode()}


def test_a_client_is_reset_when_no_endpoint_can_be_reached(plane):
    plane.apply(rules(Endpoint(at("82.1"), PORT)))
    with pytest.raises(ConnectionResetError):
        request()


def test_large_bodies_pass_whole_in_both_directions_to_a_slow_reader(plane):
    plane.apply(rules(Server(at("83.1")).endpoint))
    body = random.Random(1).randbytes(8_000_000)
    assert request(body) == at("83.1 ").encode() + body


def test_closing_drops_nobody_who_was_let_in():
    plane = UserspacePlane()
    plane.apply(rules(Server(at("84.1")).endpoint))
    held = [socket.create_connection((SERVICE, PORT), timeout=5) for _ in range(40)]
    with ThreadPoolExecutor(1) as pool:
        closed = pool.submit(plane.close)
        for sock in held:
            sock.sendall(b"x")
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(100) == at("84.1 x").encode()
            sock.close()
        closed.result(timeout=10)


def test_two_agents_of_one_machine_serve_one_address_and_one_may_leave(plane):
    server = Server(at("85.1"))
    other = UserspacePlane()
    plane.apply(rules(server.endpoint))
    other.apply(rules(server.endpoint))
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(request) for _ in range(200)]
        other.close()
        assert {a.result() for a in answers} == {at("85.1 hello").encode()}


def test_a_sticky_service_gives_a_client_the_same_endpoint(plane):
    servers = [Server(at(f"86.{n}")) for n in (1, 2, 3)]
    plane.apply(rules(*(s.endpoint for s in servers), sticky=True))
    assert len({request() for _ in range(20)}) == 1


def test_a_node_port_answers_on_every_local_address(plane):
    server = Server(at("87.1"))
    plane.apply(Rules((Rule("", "TCP", 30777, "default/web", (server.endpoint,)),), 1))
    assert request(address=("127.0.0.1", 30777)) == request(address=("127.0.0.9", 30777))


def test_datagrams_find_their_way_there_and_back_and_leave_a_gone_endpoint(plane):
    pods = {}
    for ip in (at("88.1"), at("88.2")):
        pods[ip] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        pods[ip].bind((ip, PORT))
        pods[ip].settimeout(5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        for revision, ip in enumerate(pods, start=1):
            plane.apply(rules(Endpoint(ip, PORT), protocol="UDP", revision=revision))
            client.sendto(b"ping", (SERVICE, PORT))
            data, back = pods[ip].recvfrom(100)
            pods[ip].sendto(data + b" pong", back)
            assert client.recvfrom(100) == (b"ping pong", (SERVICE, PORT))


def test_an_address_taken_by_another_program_is_told_and_tried_again(plane):
    server = Server(at("89.1"))
    with socket.create_server((SERVICE, PORT)):
        plane.apply(rules(server.endpoint))
        assert "another program listens on" in plane.problems()["default/web"]
    plane.apply(rules(server.endpoint))
    assert plane.problems() == {}
    assert request() == at("89.1 hello").encode()


def test_ports_that_can_not_be_had_are_logged_once_however_often_they_are_tried(plane, caplog):
    server = Server(at("91.1"))
    taken = tuple(Rule(SERVICE, "TCP", port, "default/web", (server.endpoint,)) for port in (PORT, PORT + 1))
    with socket.create_server((SERVICE, PORT)), socket.create_server((SERVICE, PORT + 1)):
        for _ in range(3):
            plane.apply(Rules(taken, 1))
    assert sorted(str(PORT + 1) in record.getMessage() for record in caplog.records) == [False, True]


def test_a_plane_that_is_closed_listens_no_more():
    server, made = Server(at("92.1")), UserspacePlane()
    made.close()
    made.apply(rules(server.endpoint))
    with pytest.raises(ConnectionRefusedError):
        request()


def test_unchanged_rules_touch_nothing_and_raise_the_revision(plane):
    server = Server(at("90.1"))
    plane.apply(rules(server.endpoint, revision=1))
    with socket.create_connection((SERVICE, PORT), timeout=5) as held:
        plane.apply(rules(server.endpoint, revision=9))
        held.shutdown(socket.SHUT_WR)
        assert held.recv(100).startswith(at("90.1").encode())
    assert plane.revision == 9
