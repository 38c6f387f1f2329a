"""From services and endpoint slices to rules."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from workers.network.rules import Endpoint, Rule, build


def service(name="web", ip="10.96.0.10", **spec):
    ports = spec.pop("ports", [{"port": 80, "targetPort": 8080, "protocol": "TCP"}])
    return {
        "metadata": {"namespace": "default", "name": name},
        "spec": {"clusterIP": ip, "clusterIPs": [ip], "type": "ClusterIP", "ports": ports, **spec},
    }


def piece(*endpoints, of="web", number=0, port=8080, name="", protocol="TCP", family="IPv4"):
    return {
        "metadata": {
            "namespace": "default",
            "name": f"{of}-{number}",
            "labels": {"kubernetes.io/service-name": of},
        },
        "addressType": family,
        "ports": [{"name": name, "port": port, "protocol": protocol}],
        "endpoints": list(endpoints),
    }


def endpoint(ip, node="n1", **conditions):
    return {"addresses": [ip], "nodeName": node, "conditions": conditions}


def only(rules) -> Rule:
    (rule,) = rules.rules
    return rule


ADDRESSES = st.integers(1, 30).map(lambda n: f"10.244.0.{n}")
ENDPOINTS = st.builds(
    lambda ip, node, ready, serving, terminating: endpoint(
        ip, node, ready=ready, serving=serving, terminating=terminating
    ),
    ADDRESSES,
    st.sampled_from(["n1", "n2"]),
    st.sampled_from([True, False, None]),
    st.sampled_from([True, False, None]),
    st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(ENDPOINTS, max_size=6), max_size=4))
def test_every_ready_endpoint_and_no_other_is_in_the_rules(groups):
    slices = [piece(*group, number=n) for n, group in enumerate(groups)]
    rule = only(build([service()], slices, "n1"))
    every = [e for group in groups for e in group]
    ready = {e["addresses"][0] for e in every if e["conditions"]["ready"] is not False}
    if ready:
        assert {e.ip for e in rule.endpoints} == ready
    else:
        assert {e.ip for e in rule.endpoints} == {
            e["addresses"][0] for e in every if e["conditions"]["terminating"] and e["conditions"]["serving"]
        }
    assert list(rule.endpoints) == sorted(set(rule.endpoints))


@settings(max_examples=50, deadline=None)
@given(st.lists(ENDPOINTS, max_size=8), st.randoms())
def test_the_order_in_which_objects_come_makes_no_difference(endpoints, random):
    slices = [piece(e, number=n) for n, e in enumerate(endpoints)]
    services = [service(), service("api", "10.96.0.11")]
    before = build(services, slices, "n1", 1)
    random.shuffle(slices)
    assert build(services[::-1], slices, "n1", 2) == before


def test_a_service_without_endpoints_has_a_rule_that_refuses():
    assert only(build([service()], [], "n1")) == Rule("10.96.0.10", "TCP", 80, "default/web", ())


def test_headless_and_external_name_services_have_no_rules():
    services = [service(ip="None"), service("db", "", type="ExternalName", externalName="db.example.com")]
    assert build(services, [piece(endpoint("10.244.0.1", ready=True))], "n1").rules == ()


def test_internal_traffic_policy_local_leaves_only_the_nodes_own_endpoints():
    slices = [piece(endpoint("10.244.0.1", "n1"), endpoint("10.244.1.1", "n2"))]
    local = service(internalTrafficPolicy="Local")
    assert only(build([local], slices, "n2")).endpoints == (Endpoint("10.244.1.1", 8080),)
    assert only(build([local], slices, "n3")).endpoints == ()


def test_a_node_port_follows_the_external_policy_and_the_cluster_ip_the_internal_one():
    slices = [piece(endpoint("10.244.0.1", "n1"), endpoint("10.244.1.1", "n2"))]
    ports = [{"port": 80, "nodePort": 30080}]
    wanted = service(type="NodePort", externalTrafficPolicy="Local", ports=ports)
    by_ip = {r.ip: r for r in build([wanted], slices, "n1").rules}
    assert by_ip[""].port == 30080
    assert [e.ip for e in by_ip[""].endpoints] == ["10.244.0.1"]
    assert [e.ip for e in by_ip["10.96.0.10"].endpoints] == ["10.244.0.1", "10.244.1.1"]


def test_ports_are_matched_by_name_and_protocol():
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    slices = [
        piece(endpoint("10.244.0.1"), name="dns", protocol="UDP", port=5353),
        piece(endpoint("10.244.0.2"), name="dns-tcp", protocol="TCP", port=5354, number=1),
    ]
    rules = build([service(ports=ports)], slices, "n1").rules
    assert {(r.protocol, r.endpoints) for r in rules} == {
        ("UDP", (Endpoint("10.244.0.1", 5353),)),
        ("TCP", (Endpoint("10.244.0.2", 5354),)),
    }


def test_two_services_that_want_one_external_address_do_not_both_get_it():
    services = [service("b", "10.96.0.2", externalIPs=["192.0.2.7"]), service("a", externalIPs=["192.0.2.7"])]
    taken = [r.service for r in build(services, [], "n1").rules if r.ip == "192.0.2.7"]
    assert taken == ["default/a"]


def test_ipv6_addresses_are_left_out():
    both = service(clusterIPs=["10.96.0.10", "fd00::a"])
    slices = [piece(endpoint("fd00::1"), family="IPv6"), piece(endpoint("10.244.0.1"), number=1)]
    assert only(build([both], slices, "n1")).endpoints == (Endpoint("10.244.0.1", 8080),)
