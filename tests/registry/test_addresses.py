from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest

from app.base.errors import Invalid


def test_a_service_gets_an_address_of_its_own(world: Any, make: Any) -> None:
    made = [world.create("services", make.service(f"s{n}"))["spec"] for n in range(20)]
    addresses = [spec["clusterIP"] for spec in made]
    assert len(set(addresses)) == 20
    assert all(ipaddress.ip_address(a) in ipaddress.ip_network("10.96.0.0/16") for a in addresses)
    assert all(spec["clusterIPs"] == [spec["clusterIP"]] for spec in made)


def test_the_last_free_address_is_found_and_then_none_is_left(
    small_world: Callable[..., Any], make: Any
) -> None:
    world = small_world(service_cidr="10.0.0.0/28")
    # 16 without network, broadcast and the API's own
    made = {world.create("services", make.service(f"s{n}"))["spec"]["clusterIP"] for n in range(13)}
    assert len(made) == 13
    with pytest.raises(Invalid, match="failed to allocate a serviceIP: range is full"):
        world.create("services", make.service("more"))
    world.delete("services", "s3")
    assert world.create("services", make.service("more"))["spec"]["clusterIP"] in made


def test_two_api_processes_never_give_out_one_address_twice(
    small_world: Callable[..., Any], make: Any
) -> None:
    world = small_world(service_cidr="10.0.0.0/27")
    first, second = world.registry, world.another(1)
    addresses = []
    for number in range(20):
        world.registry = (first, second)[number % 2]
        addresses.append(world.create("services", make.service(f"s{number}"))["spec"]["clusterIP"])
    assert len(set(addresses)) == 20


def test_an_address_asked_for_is_given_or_refused_with_the_reason(world: Any, make: Any) -> None:
    assert (
        world.create("services", make.service("a", clusterIP="10.96.5.5"))["spec"]["clusterIP"] == "10.96.5.5"
    )
    with pytest.raises(
        Invalid, match=r"failed to allocate IP 10\.96\.5\.5: provided IP is already allocated"
    ):
        world.create("services", make.service("b", clusterIP="10.96.5.5"))
    with pytest.raises(Invalid, match=r"The range of valid IPs is 10\.96\.0\.0/16"):
        world.create("services", make.service("b", clusterIP="192.168.0.1"))
    with pytest.raises(Invalid):
        world.create("services", make.service("b", clusterIP="not an address"))
    assert world.get("services", "default/b") is None


def test_headless_and_external_services_take_no_address(world: Any, make: Any) -> None:
    assert world.create("services", make.service("h", clusterIP="None"))["spec"]["clusterIPs"] == ["None"]
    made = world.create("services", make.service("e", type="ExternalName", externalName="example.com"))
    assert "clusterIP" not in made["spec"]


def test_node_ports_are_given_out_kept_and_given_up(world: Any, make: Any) -> None:
    made = world.create(
        "services",
        make.service(type="NodePort", ports=[{"name": "a", "port": 80}, {"name": "b", "port": 81}]),
    )
    numbers = [port["nodePort"] for port in made["spec"]["ports"]]
    assert len(set(numbers)) == 2
    assert all(30000 <= number < 32768 for number in numbers)
    ports = [{"name": "a", "port": 80}, {"name": "c", "port": 82}]
    put = world.put("services", make.service(type="NodePort", ports=ports))
    assert put["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert put["spec"]["ports"][0]["nodePort"] == numbers[0]
    assert put["spec"]["ports"][1]["nodePort"] not in numbers[:1]
    taken = [{"port": 80, "nodePort": numbers[0]}]
    with pytest.raises(
        Invalid,
        match=rf"spec.ports\[0\].nodePort: Invalid value: {numbers[0]}: provided port is already allocated",
    ):
        world.create("services", make.service("other", type="NodePort", ports=taken))
    world.put("services", make.service(type="ClusterIP", ports=[{"name": "a", "port": 80}]))
    assert world.create("services", make.service("other", type="NodePort", ports=taken))


def test_a_node_port_must_lie_in_its_range(world: Any, make: Any) -> None:
    with pytest.raises(Invalid, match="The range of valid ports is 30000-32767"):
        world.create("services", make.service(type="NodePort", ports=[{"port": 80, "nodePort": 80}]))


def test_becoming_a_node_port_takes_a_port(world: Any, make: Any) -> None:
    made = world.create("services", make.service())
    patched = world.patch("services", "web", {"spec": {"type": "NodePort"}})
    assert patched["spec"]["ports"][0]["nodePort"] in range(30000, 32768)
    assert patched["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    back = world.patch("services", "web", {"spec": {"type": "ClusterIP"}})
    assert "nodePort" not in back["spec"]["ports"][0]


def test_every_node_gets_a_range_of_pod_addresses(small_world: Callable[..., Any], make: Any) -> None:
    world = small_world(pod_cidr="10.244.0.0/22")
    ranges = [world.create("nodes", make.node(f"n{n}"))["spec"]["podCIDR"] for n in range(3)]
    assert ranges == ["10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24"]
    with pytest.raises(Invalid, match="no range of pod addresses is left"):
        world.create("nodes", make.node("n3"))
    world.delete("nodes", "n1")
    assert world.create("nodes", make.node("n3"))["spec"]["podCIDRs"] == ["10.244.2.0/24"]
