"""Names of services: in DNS, and in hosts files."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import ExitStack, closing

import pytest
from dnslib import QTYPE, RCODE, RR, A, DNSRecord

from app.base.ids import RandomIds
from tests.e2e.waiting import until
from workers.network.dns import NameServer, NameServerError
from workers.network.dns_tcp import CONNECTIONS_PER_CLIENT, framed, read_message
from workers.network.hosts import hosts_for, pod_hosts, resolv_conf
from workers.network.names import build

HERE = "127.53.0.1"  # an address of its own: no port of it is taken by anybody's outgoing connection

SLICES = [
    {
        "metadata": {
            "namespace": "data",
            "name": "db-1",
            "labels": {"kubernetes.io/service-name": "db"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "sql", "port": 5432, "protocol": "TCP"}],
        "endpoints": [
            {"addresses": ["10.244.0.5"], "hostname": "db-0", "conditions": {"ready": True}},
            {"addresses": ["10.244.0.6"], "conditions": {"ready": True}},
            {"addresses": ["10.244.0.7"], "conditions": {"ready": False}},
        ],
    }
]


def service(name, namespace="default", ip="10.96.0.10", **spec):
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip, "ports": [{"name": "http", "port": 80, "protocol": "TCP"}], **spec},
    }


SERVICES = [
    service("web"),
    service("db", "data", "None"),
    service("empty", "default", "None"),
    service("outside", type="ExternalName", externalName="www.example.com", ip=""),
]


class Upstream:
    """A resolver that gives 192.0.2.80 for every name, and counts who asked for what."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            data, client = self._socket.recvfrom(4096)
            request = DNSRecord.parse(data)
            self.asked.append(str(request.q.qname))
            reply = request.reply()
            reply.add_answer(RR(request.q.qname, QTYPE.A, ttl=60, rdata=A("192.0.2.80")))
            self._socket.sendto(reply.pack(), client)


@pytest.fixture(scope="module")
def upstream():
    return Upstream()


@pytest.fixture(scope="module")
def server(upstream):
    names = build(SERVICES, SLICES)
    with closing(NameServer(HERE, names, [upstream.address], port=0, ids=RandomIds(1))) as made:
        yield made


def ask(server, name, kind="A", *, tcp=False) -> DNSRecord:
    host, port = server.address
    question = DNSRecord.question(name, kind)
    return DNSRecord.parse(question.send(host, port, tcp=tcp, timeout=5))


def values(reply: DNSRecord) -> list[str]:
    return sorted(str(rr.rdata) for rr in reply.rr)


@pytest.mark.parametrize("tcp", [False, True])
def test_a_service_resolves_to_its_cluster_ip(server, tcp):
    reply = ask(server, "web.default.svc.cluster.local", tcp=tcp)
    assert values(reply) == ["10.96.0.10"]
    assert reply.header.aa


def test_case_and_a_last_dot_make_no_difference(server):
    assert values(ask(server, "WEB.default.SVC.cluster.local.")) == ["10.96.0.10"]


def test_a_headless_service_resolves_to_its_ready_pods_and_each_has_a_name(server):
    assert values(ask(server, "db.data.svc.cluster.local")) == ["10.244.0.5", "10.244.0.6"]
    assert values(ask(server, "db-0.db.data.svc.cluster.local")) == ["10.244.0.5"]
    assert values(ask(server, "10-244-0-6.db.data.svc.cluster.local")) == ["10.244.0.6"]


def test_named_ports_have_srv_records_with_the_addresses_of_their_targets(server):
    reply = ask(server, "_sql._tcp.db.data.svc.cluster.local", "SRV")
    assert values(reply) == [
        "0 100 5432 10-244-0-6.db.data.svc.cluster.local.",
        "0 100 5432 db-0.db.data.svc.cluster.local.",
    ]
    assert sorted(str(rr.rdata) for rr in reply.ar) == ["10.244.0.5", "10.244.0.6"]
    assert values(ask(server, "_http._tcp.web.default.svc.cluster.local", "SRV")) == [
        "0 100 80 web.default.svc.cluster.local."
    ]


@pytest.mark.parametrize(
    "name",
    [
        "nobody.default.svc.cluster.local",
        "www.example.com.default.svc.cluster.local",
        "web.default.svc.cluster.local.default.svc.cluster.local",
        "web.cluster.local",
    ],
)
def test_a_name_the_cluster_does_not_know_is_nxdomain_so_that_search_lists_go_on(server, upstream, name):
    reply = ask(server, name)
    assert reply.header.rcode == RCODE.NXDOMAIN
    assert [rr.rtype for rr in reply.auth] == [QTYPE.SOA]
    assert name + "." not in upstream.asked


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("web.default.svc.cluster.local", "AAAA"),
        ("web.default.svc.cluster.local", "TXT"),
        ("empty.default.svc.cluster.local", "A"),
        ("default.svc.cluster.local", "A"),
        ("cluster.local", "A"),
        ("10-244-0-9.default.pod.cluster.local", "AAAA"),
    ],
)
def test_a_name_without_records_of_the_kind_is_no_nxdomain(server, name, kind):
    reply = ask(server, name, kind)
    assert (reply.header.rcode, reply.rr) == (RCODE.NOERROR, [])


def test_addresses_have_names(server):
    assert values(ask(server, "10.0.96.10.in-addr.arpa", "PTR")) == ["web.default.svc.cluster.local."]
    assert values(ask(server, "5.0.244.10.in-addr.arpa", "PTR")) == ["db-0.db.data.svc.cluster.local."]


def test_a_pods_address_is_spelt_out_in_its_name(server):
    assert values(ask(server, "10-244-0-9.default.pod.cluster.local")) == ["10.244.0.9"]


def test_other_names_are_asked_of_the_machines_resolvers(server, upstream):
    assert values(ask(server, "www.example.org")) == ["192.0.2.80"]
    assert "www.example.org." in upstream.asked


def test_an_external_name_is_an_alias_with_the_targets_addresses(server):
    reply = ask(server, "outside.default.svc.cluster.local")
    assert values(reply) == ["192.0.2.80", "www.example.com."]


def test_without_an_answering_resolver_other_names_fail_and_the_clusters_own_do_not():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{unused.getsockname()[1]}"
    with closing(NameServer(HERE, build(SERVICES, []), [dead], port=0)) as server:
        assert ask(server, "www.example.org").header.rcode == RCODE.SERVFAIL
        assert values(ask(server, "web.default.svc.cluster.local")) == ["10.96.0.10"]


def test_names_may_be_replaced_while_serving():
    with closing(NameServer(HERE, build([], []), [], port=0)) as server:
        assert ask(server, "web.default.svc.cluster.local").header.rcode == RCODE.NXDOMAIN
        server.names = build(SERVICES, SLICES)
        assert values(ask(server, "web.default.svc.cluster.local")) == ["10.96.0.10"]


def test_an_answer_too_long_for_a_datagram_comes_whole_over_tcp():
    pods = [{"addresses": [f"10.244.1.{n}"], "conditions": {}} for n in range(1, 200)]
    many = [{**SLICES[0], "endpoints": pods}]
    with closing(NameServer(HERE, build(SERVICES, many), [], port=0)) as server:
        assert ask(server, "db.data.svc.cluster.local").header.tc
        assert len(ask(server, "db.data.svc.cluster.local", tcp=True).rr) == 199


def test_a_client_with_many_connections_keeps_no_other_from_its_answers(server):
    def connect(client: str) -> socket.socket:
        return socket.create_connection(server.address, timeout=5, source_address=(client, 0))

    def answered(sock: socket.socket) -> bool:
        try:
            sock.sendall(framed(DNSRecord.question("web.default.svc.cluster.local").pack()))
            return read_message(sock) != b""
        except ConnectionError:
            return False

    with ExitStack() as held:
        kept = [held.enter_context(connect("127.53.0.8")) for _ in range(CONNECTIONS_PER_CLIENT)]
        with connect("127.53.0.8") as refused, connect("127.53.0.9") as other:
            assert not answered(refused)
            assert answered(other)
        assert all(answered(sock) for sock in kept)
        kept[0].close()

        def let_in() -> bool:
            with connect("127.53.0.8") as again:
                return answered(again)

        until(let_in, 5)


@pytest.mark.parametrize("junk", [b"", b"\x00", b"\xff" * 40, struct.pack("!HHHHHH", 1, 0x0100, 1, 0, 0, 0)])
def test_junk_does_not_end_the_server(server, junk):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(junk, server.address)
    assert values(ask(server, "web.default.svc.cluster.local")) == ["10.96.0.10"]


def test_an_address_that_is_taken_is_an_error_that_says_so(server):
    with pytest.raises(NameServerError, match="can't serve DNS at 127.53.0.1"):
        NameServer(HERE, build([], []), [], port=server.address[1])


def test_hosts_name_every_service_and_the_short_name_only_in_its_own_namespace():
    assert hosts_for("default", SERVICES, SLICES) == (
        "10.244.0.6\t10-244-0-6.db.data 10-244-0-6.db.data.svc 10-244-0-6.db.data.svc.cluster.local\n"
        "10.244.0.5\tdb-0.db.data db-0.db.data.svc db-0.db.data.svc.cluster.local\n"
        "10.244.0.5\tdb.data db.data.svc db.data.svc.cluster.local\n"
        "10.244.0.6\tdb.data db.data.svc db.data.svc.cluster.local\n"
        "10.96.0.10\tweb web.default web.default.svc web.default.svc.cluster.local\n"
    )
    assert "\tdb db.data" in hosts_for("data", SERVICES, SLICES)
    assert "\tweb web.default" not in hosts_for("data", SERVICES, SLICES)


def test_a_pods_hosts_file_has_its_own_name_and_its_aliases():
    pod = {
        "metadata": {"name": "web-1", "namespace": "default"},
        "spec": {"hostAliases": [{"ip": "192.0.2.1", "hostnames": ["a", "b"]}]},
    }
    lines = pod_hosts(pod, "10.244.0.9", "10.96.0.10\tweb\n").splitlines()
    assert lines[1:] == ["127.0.0.1\tlocalhost", "10.244.0.9\tweb-1", "192.0.2.1\ta b", "10.96.0.10\tweb"]


def test_a_pod_with_a_subdomain_is_called_by_its_full_name_first():
    pod = {
        "metadata": {"name": "web-1", "namespace": "shop"},
        "spec": {"hostname": "a", "subdomain": "b"},
    }
    assert "10.244.0.9\ta.b.shop.svc.cluster.local a\n" in pod_hosts(pod, "10.244.0.9")


def test_a_pod_in_the_machines_network_has_the_machines_hosts_file_and_its_aliases():
    pod = {
        "metadata": {"name": "web-1", "namespace": "shop"},
        "spec": {"hostNetwork": True, "hostAliases": [{"ip": "192.0.2.1", "hostnames": ["a"]}]},
    }
    lines = pod_hosts(pod, "192.0.2.7", machine="127.0.0.1 localhost\n192.0.2.7 node\n\n").splitlines()
    assert lines[1:] == ["127.0.0.1 localhost", "192.0.2.7 node", "192.0.2.1\ta"]


def test_a_pod_in_the_machines_network_asks_for_cluster_names_only_if_it_says_so():
    machine = "nameserver 192.0.2.53\n"
    pod = {"metadata": {"name": "p", "namespace": "shop"}, "spec": {"hostNetwork": True}}
    assert resolv_conf(pod, "10.244.0.1", machine) == machine
    pod["spec"]["dnsPolicy"] = "ClusterFirstWithHostNet"
    assert resolv_conf(pod, "10.244.0.1", machine).startswith("nameserver 10.244.0.1\nsearch shop.svc")


def test_resolver_settings_follow_the_pods_dns_policy():
    machine = "nameserver 192.0.2.53\nsearch corp.example\noptions edns0\n"
    pod = {"metadata": {"name": "p", "namespace": "shop"}, "spec": {}}
    assert resolv_conf(pod, "10.244.0.1", machine) == (
        "nameserver 10.244.0.1\n"
        "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\n"
        "options ndots:5\n"
    )
    pod["spec"] = {"dnsPolicy": "Default"}
    assert resolv_conf(pod, "10.244.0.1", machine) == machine
    pod["spec"] = {
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["192.0.2.9"], "options": [{"name": "ndots", "value": "2"}]},
    }
    assert resolv_conf(pod, "10.244.0.1", machine) == "nameserver 192.0.2.9\noptions ndots:2\n"
