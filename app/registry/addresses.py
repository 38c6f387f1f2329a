"""Giving out what only one object may hold: cluster IPs, node ports, ranges of pod addresses.

An address is drawn at random and claimed by the commit that stores it. Only if another object turns out
to hold it is the view asked what is free, so that a draw costs the same however many there are.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from app.base.errors import Cause, Invalid
from app.objects.change import Object
from app.objects.claims import CLUSTER_IP, NODE_PORT, POD_CIDR, claims_of

if TYPE_CHECKING:
    from app.registry.registry import Registry

NODE_PORTS = range(30000, 32768)
# network address, and the API's own Service, which takes the first
RESERVED_ADDRESSES = 2
# How often a draw is tried again after somebody else was quicker.
ATTEMPTS = 64


def assign(registry: Registry, resource: str, obj: Object, taken: set[str]) -> Object:
    """`obj` with the addresses it needs and has not got, none of them in `taken` (claims that are
    known to be held by others).

    Raises:
        Invalid: an address asked for is out of range, or none is left.
    """
    if resource == "services":
        return _service(registry, obj, taken)
    if resource == "nodes" and not (obj.get("spec") or {}).get("podCIDR"):
        return _node(registry, obj, taken)
    return obj


def refuse_if_asked_for(resource: str, asked: Object, claim: str) -> None:
    """Somebody else holds `claim`: that is the client's mistake if the client named it.

    Raises:
        Invalid: it did.
    """
    if claim not in claims_of(resource, asked):
        return
    spec = asked.get("spec") or {}
    held = claim.partition("/")[2]
    if claim.startswith(CLUSTER_IP):
        raise _invalid(
            "Service", asked, "spec.clusterIPs", f'[]string{{"{held}"}}',
            f"failed to allocate IP {held}: provided IP is already allocated",
        )  # fmt: skip
    if claim.startswith(NODE_PORT):
        number = int(held.partition("/")[0])
        at = next((i for i, p in enumerate(spec.get("ports") or ()) if p.get("nodePort") == number), 0)
        raise _invalid(
            "Service", asked, f"spec.ports[{at}].nodePort", number, "provided port is already allocated"
        )
    raise _invalid("Node", asked, "spec.podCIDR", f'"{held}"', "is the range of another node")


def carried_over(old: Object, new: Object) -> Object:
    """A changed Service that does not repeat its addresses keeps them, if it still has use for them."""
    spec, before = dict(new.get("spec") or {}), old.get("spec") or {}
    kind = spec.get("type") or "ClusterIP"
    if kind == "ExternalName" or before.get("type") == "ExternalName":
        return new
    for field in ("clusterIP", "clusterIPs"):
        if not spec.get(field) and before.get(field):
            spec[field] = before[field]
    if kind in ("NodePort", "LoadBalancer"):
        known = {_port_key(p): p["nodePort"] for p in before.get("ports") or () if p.get("nodePort")}
        asked = {p.get("nodePort") for p in spec.get("ports") or ()}
        spec["ports"] = [
            {**port, "nodePort": known[_port_key(port)]}
            if not port.get("nodePort") and known.get(_port_key(port), 0) not in {0, *asked}
            else port
            for port in spec.get("ports") or ()
        ]
    else:
        # Ports that the old Service had by its type go with the type, not those asked for now.
        had = {p.get("nodePort") for p in before.get("ports") or ()} - {None}
        spec["ports"] = [
            {k: v for k, v in port.items() if k != "nodePort"} if port.get("nodePort") in had else port
            for port in spec.get("ports") or ()
        ]
    return {**new, "spec": spec}


def first_service_address(cidr: str) -> str:
    """The address of the API's own Service: the first of the range."""
    return str(_network(cidr)[1])


def _service(registry: Registry, obj: Object, taken: set[str]) -> Object:
    spec = dict(obj.get("spec") or {})
    kind = spec.get("type") or "ClusterIP"
    if kind == "ExternalName":
        return obj
    network = _network(registry.settings.service_cidr)
    address = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
    if not address:
        address = _free_address(registry, network, taken)
    elif address != "None":
        _check_in_range(obj, address, network)
    spec["clusterIP"], spec["clusterIPs"] = address, [address]
    if kind in ("NodePort", "LoadBalancer"):
        spec["ports"] = _node_ports(registry, obj, spec.get("ports") or [], taken)
    return {**obj, "spec": spec}


def _check_in_range(obj: Object, address: str, network: ipaddress.IPv4Network) -> None:
    try:
        inside = ipaddress.ip_address(address) in network
    except ValueError:
        return  # the schema says what is wrong with it
    if not inside:
        raise _invalid(
            "Service", obj, "spec.clusterIPs", f'[]string{{"{address}"}}',
            f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. "
            f"The range of valid IPs is {network}",
        )  # fmt: skip


def _free_address(registry: Registry, network: ipaddress.IPv4Network, taken: set[str]) -> str:
    count = network.num_addresses - RESERVED_ADDRESSES - 1
    held = _held(registry, "services", taken)
    start = int(registry.ids.fraction() * count)
    for step in range(count):
        address = str(network[RESERVED_ADDRESSES + (start + step) % count])
        if CLUSTER_IP + address not in held:
            return address
    raise Invalid("failed to allocate a serviceIP: range is full", resource="services")


def _node_ports(registry: Registry, obj: Object, ports: list[Object], taken: set[str]) -> list[Object]:
    result = []
    held = _held(registry, "services", taken)
    held |= {f"{NODE_PORT}{p['nodePort']}/{p.get('protocol') or 'TCP'}" for p in ports if p.get("nodePort")}
    for at, port in enumerate(ports):
        number = port.get("nodePort")
        if number and number not in NODE_PORTS:
            raise _invalid(
                "Service", obj, f"spec.ports[{at}].nodePort", number,
                "provided port is not in the valid range. The range of valid ports is 30000-32767",
            )  # fmt: skip
        if not number:
            number = _free_port(registry, port.get("protocol") or "TCP", held)
            held.add(f"{NODE_PORT}{number}/{port.get('protocol') or 'TCP'}")
        result.append({**port, "nodePort": number})
    return result


def _free_port(registry: Registry, protocol: str, held: set[str]) -> int:
    start = int(registry.ids.fraction() * len(NODE_PORTS))
    for step in range(len(NODE_PORTS)):
        number = NODE_PORTS[(start + step) % len(NODE_PORTS)]
        if f"{NODE_PORT}{number}/{protocol}" not in held:
            return number
    raise Invalid("failed to allocate a nodePort: range is full", resource="services")


def _node(registry: Registry, obj: Object, taken: set[str]) -> Object:
    """Ranges are given out from the second on, in order: who reads an address sees which node it is on."""
    settings = registry.settings
    network = _network(settings.pod_cidr)
    size = 1 << (32 - settings.node_cidr_prefix)
    registry.view.catch_up()
    with registry.view.lock:
        held = taken | set(_claims(registry.view.list("nodes"), "nodes"))
    for at in range(1, network.num_addresses // size):
        cidr = f"{network[at * size]}/{settings.node_cidr_prefix}"
        if POD_CIDR + cidr not in held:
            spec = {**(obj.get("spec") or {}), "podCIDR": cidr, "podCIDRs": [cidr]}
            return {**obj, "spec": spec}
    raise Invalid(f"no range of pod addresses is left in {network}", resource="nodes")


def _held(registry: Registry, resource: str, taken: set[str]) -> set[str]:
    """What is known to be held; the view is asked only once a draw has failed."""
    if not taken:
        return set()
    with registry.view.lock:
        return taken | set(_claims(registry.view.list(resource), resource))


def _claims(objects: Iterable[Object], resource: str) -> Iterable[str]:
    for obj in objects:
        yield from claims_of(resource, obj)


@lru_cache(maxsize=16)
def _network(cidr: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(cidr, strict=False)


def _port_key(port: Object) -> tuple[str, object]:
    return port.get("protocol") or "TCP", port.get("port")


def _invalid(kind: str, obj: Object, field: str, value: object, why: str) -> Invalid:
    name = obj["metadata"].get("name") or ""
    message = f"Invalid value: {value}: {why}"
    return Invalid(
        f'{kind} "{name}" is invalid: {field}: {message}',
        resource=kind,
        name=name,
        causes=[Cause(field, "FieldValueInvalid", message)],
    )
