"""nftables rules in a real kernel, between network namespaces."""

from __future__ import annotations

import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.base.settings import Settings
from tests.clock import HandClock
from tests.e2e.waiting import until
from workers.network.conntrack import ANSWERED_WITHIN
from workers.network.nft import NftPlane
from workers.network.nft_script import script, table_name
from workers.network.node import NodeNetwork
from workers.network.rules import Endpoint, Rule, Rules

SERVICES, PODS = "10.96.0.0/16", "10.244.0.0/14"
CLUSTER_IP = "10.96.0.10"
A, B, C = "10.244.0.2", "10.244.0.3", "10.244.1.2"


@pytest.fixture
def plane(machine, tmp_path):
    made = NftPlane("test", SERVICES, PODS, tmp_path)
    made.put = lambda rules: machine.inside(machine.host, lambda: made.apply(rules))
    yield made
    machine.inside(machine.host, made.remove)


@pytest.fixture(scope="module")
def pods(machine):
    return {ip: machine.serve(ip) for ip in (A, B, C)}


def rules(*endpoints: Endpoint, revision: int = 1, ip: str = CLUSTER_IP, port: int = 80, **kind) -> Rules:
    rule = Rule(ip, kind.pop("protocol", "TCP"), port, "default/web", tuple(sorted(endpoints)), **kind)
    return Rules((rule,), revision)


def test_pods_and_the_machine_reach_every_endpoint_of_a_service(machine, plane, pods):
    plane.put(rules(*pods.values()))
    for client in (machine.pod(A), machine.pod(C), machine.host):
        answered = {machine.ask(client, CLUSTER_IP, 80)[0] for _ in range(40)}
        assert answered == {A, B, C}, client


def test_a_pod_that_is_given_itself_gets_an_answer(machine, plane, pods):
    plane.put(rules(pods[A]))
    pod, client = machine.ask(machine.pod(A), CLUSTER_IP, 80)
    assert pod == A
    assert client != A


def test_a_pod_sees_another_pods_own_address(machine, plane, pods):
    plane.put(rules(pods[C]))
    assert machine.ask(machine.pod(A), CLUSTER_IP, 80) == (C, A)


def test_a_service_without_endpoints_and_an_unknown_port_refuse_at_once(machine, plane, pods):
    plane.put(Rules((*rules().rules, *rules(pods[A], ip="10.96.0.11").rules), 1))
    for client in (machine.pod(A), machine.pod(C), machine.host):
        for address, port in ((CLUSTER_IP, 80), ("10.96.0.11", 81), ("10.96.99.99", 80)):
            with pytest.raises(ConnectionRefusedError):
                machine.connect(client, address, port)


def test_a_node_port_answers_at_the_machines_addresses_and_on_loopback(machine, plane, pods):
    plane.put(Rules((Rule("", "TCP", 30080, "default/web", (pods[A],)),), 1))
    assert machine.ask(machine.host, "198.51.100.2", 30080)[0] == A
    assert machine.ask(machine.host, "127.0.0.1", 30080)[0] == A
    assert machine.ask(machine.pod(C), "10.244.1.1", 30080)[0] == A
    plane.put(Rules((Rule("", "TCP", 30080, "default/web", ()),), 2))
    with pytest.raises(ConnectionRefusedError):
        machine.connect(machine.host, "198.51.100.2", 30080)


def test_a_connection_outlives_its_endpoints_rule_and_new_ones_go_elsewhere(machine, plane, pods):
    plane.put(rules(pods[A]))
    held = machine.connect(machine.pod(C), CLUSTER_IP, 80)
    held.sendall(b"?")
    assert held.recv(100).split()[0] == A.encode()
    plane.put(rules(pods[B], revision=2))
    assert {machine.ask(machine.pod(C), CLUSTER_IP, 80)[0] for _ in range(10)} == {B}
    held.sendall(b"?")
    assert held.recv(100).split()[0] == A.encode()


def test_replacing_the_rules_again_and_again_drops_no_new_connection(machine, plane, pods):
    plane.put(rules(*pods.values()))
    client = machine.pod(A)

    def many() -> set[str]:
        answered = set()
        for _ in range(600):
            with socket.create_connection((CLUSTER_IP, 80), timeout=3) as sock:
                sock.sendall(b"?")
                answered.add(sock.recv(100).split()[0].decode())
        return answered

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(machine.inside, client, many)
        revision = 2
        while not running.done():
            keep = [A, B, C][revision % 3]
            plane.put(rules(*(e for ip, e in pods.items() if ip != keep), revision=revision))
            revision += 1
        assert running.result() == {A, B, C}
    assert revision > 5


def test_a_sticky_service_gives_a_client_the_same_endpoint(machine, plane, pods):
    plane.put(rules(*pods.values(), sticky=True))
    assert len({machine.ask(machine.pod(A), CLUSTER_IP, 80)[0] for _ in range(20)}) == 1


def test_datagrams_leave_an_endpoint_that_is_gone(machine, plane):
    def bound(ip: str) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((ip, 5300))
        sock.settimeout(3)
        return sock

    ends = {ip: machine.inside(machine.pod(ip), lambda ip=ip: bound(ip)) for ip in (A, B)}
    client = machine.inside(machine.pod(C), lambda: bound(C))
    for revision, (ip, sock) in enumerate(ends.items(), start=1):
        plane.put(rules(Endpoint(ip, 5300), protocol="UDP", port=53, revision=revision))
        client.sendto(b"ping", (CLUSTER_IP, 53))
        data, back = sock.recvfrom(100)
        sock.sendto(data, back)
        assert client.recvfrom(100) == (b"ping", (CLUSTER_IP, 53))


def test_a_connection_that_its_endpoint_never_answered_goes_elsewhere_and_not_before_its_time(
    machine, tmp_path, pods
):
    clock = HandClock()
    plane = NftPlane("test", SERVICES, PODS, tmp_path, clock)
    deaf = "add table ip deaf; add chain ip deaf in { type filter hook input priority 0; }"
    on_a = ["ip", "netns", "exec", machine.pod(A)]
    subprocess.run([*on_a, "nft", f"{deaf}; add rule ip deaf in tcp dport 8081 drop"], check=True)

    def unanswered() -> bool:
        listed = ["ip", "netns", "exec", machine.host, "conntrack", "-L", "-p", "tcp", "--state", "SYN_SENT"]
        said = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
        return f"src={A} " in said

    def put(*endpoints: Endpoint) -> None:
        machine.inside(machine.host, lambda: plane.apply(rules(*endpoints)))

    with ThreadPoolExecutor(1) as pool:
        put(Endpoint(A, 8081))
        answer = pool.submit(machine.ask, machine.pod(C), CLUSTER_IP, 80)
        until(unanswered, 20)
        put(pods[B])
        # It might be answered this very moment, and would be cut if its entry went now.
        assert unanswered()
        clock.at += ANSWERED_WITHIN
        assert answer.result()[0] == B
    machine.inside(machine.host, plane.remove)
    plane.close()


def test_a_connection_that_has_ended_is_soon_forgotten(machine, plane, pods):
    def remembered() -> str:
        listed = [
            "ip",
            "netns",
            "exec",
            machine.host,
            "conntrack",
            "-L",
            "-p",
            "tcp",
            "--orig-dst",
            CLUSTER_IP,
        ]
        return subprocess.run(listed, capture_output=True, text=True, check=True).stdout

    plane.put(rules(pods[A]))
    held, ended = (machine.connect(machine.pod(C), CLUSTER_IP, 80) for _ in range(2))
    port = ended.getsockname()[1]
    assert f"sport={port} " in remembered()
    ended.close()
    # Two minutes is the kernel's own measure, within which a client may well use the same port again.
    until(lambda: f"sport={port} " not in remembered(), 20)
    held.sendall(b"?")
    assert held.recv(100).split()[0] == A.encode()


def test_rules_that_somebody_flushed_come_back_without_any_service_changing(machine, tmp_path, pods):
    clock = HandClock()
    plane = NftPlane("test", SERVICES, PODS, tmp_path, clock)
    network = NodeNetwork(Settings(state_dir=tmp_path), "docker", "n1", plane=plane, clock=clock)
    spec = {"clusterIP": CLUSTER_IP, "ports": [{"port": 80}]}
    service = {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}
    piece = {
        "metadata": {"namespace": "default", "labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"port": pods[A].port}],
        "endpoints": [{"addresses": [A]}],
    }
    machine.inside(machine.host, lambda: network.update([service], [piece], 1))
    assert machine.ask(machine.pod(C), CLUSTER_IP, 80)[0] == A
    subprocess.run(["ip", "netns", "exec", machine.host, "nft", "flush", "ruleset"], check=True)
    clock.move(60)
    machine.inside(machine.host, network.keep)
    assert machine.ask(machine.pod(C), CLUSTER_IP, 80)[0] == A
    assert network.revision == 1
    machine.inside(machine.host, plane.remove)


def test_connections_to_services_stay_on_the_machine_while_its_rules_are_missing(machine, tmp_path, pods):
    def on_host(*words: str) -> str:
        inside = ["ip", "netns", "exec", machine.host, *words]
        return subprocess.run(inside, capture_output=True, text=True, check=True, timeout=20).stdout

    before = on_host("ip", "route")
    plane = NftPlane("test", SERVICES, PODS, tmp_path)
    machine.inside(machine.host, lambda: plane.apply(rules(pods[A])))
    try:
        on_host("nft", "delete", "table", "ip", table_name("test"))
        on_host("nft", "add table ip leaks { chain out { type filter hook postrouting priority 300; }; }")
        on_host("nft", f"add rule ip leaks out oifname uplink ip daddr {SERVICES} counter")
        for client in (machine.host, machine.pod(C)):
            with pytest.raises(OSError):
                machine.connect(client, CLUSTER_IP, 80)
        assert "counter packets 0 " in on_host("nft", "list", "table", "ip", "leaks")
    finally:
        on_host("nft", "flush", "ruleset")
        machine.inside(machine.host, plane.remove)
    assert on_host("ip", "route") == before


def test_what_is_no_pod_sees_the_machines_own_address(machine, plane):
    """As without services: that of the route by which the machine is left, not that of any of its interfaces."""
    plane.put(rules())

    def source() -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect((CLUSTER_IP, 80))
            return str(sock.getsockname()[0])

    assert machine.inside(machine.host, source) == "198.51.100.2"


def test_a_hundred_services_of_twenty_endpoints_are_one_valid_table(machine):
    many = Rules(
        tuple(
            Rule(
                f"10.96.1.{s}",
                "TCP",
                80,
                f"d/{s}",
                tuple(Endpoint(f"10.244.{s}.{e}", 80) for e in range(1, 21)),
            )
            for s in range(1, 101)
        )
    )
    text = script(many, table_name("many"), SERVICES, PODS)
    done = subprocess.run(
        ["ip", "netns", "exec", machine.host, "nft", "-f", "-"], input=text.encode(), capture_output=True
    )
    assert done.returncode == 0, done.stderr[:500]
    listed = subprocess.run(
        ["ip", "netns", "exec", machine.host, "nft", "list", "table", "ip", table_name("many")],
        capture_output=True,
        check=True,
    )
    assert listed.stdout.count(b"10.96.1.") == 100
    subprocess.run(["ip", "netns", "exec", machine.host, "nft", "flush", "ruleset"], check=True)
