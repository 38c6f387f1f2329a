"""The tables of services, endpoints and endpoint slices."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME, NONE, UNSET, joined, pairs
from app.schemas.kind import Column

# More than these are only counted.
SHOWN = 3


def _external(service: Object) -> str:
    """What a service is reached by from outside."""
    spec = service.get("spec") or {}
    addresses = list(spec.get("externalIPs") or ())
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or NONE
    if spec.get("type") == "LoadBalancer":
        balancer = (service.get("status") or {}).get("loadBalancer") or {}
        ingress = balancer.get("ingress") or ()
        addresses = [i.get("ip") or i.get("hostname") or "" for i in ingress] + addresses
        return ",".join(addresses) or "<pending>"
    return joined(addresses)


def _ports(service: Object) -> str:
    parts = []
    for port in (service.get("spec") or {}).get("ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        parts.append(f"{port.get('port', 0)}{node}/{port.get('protocol', 'TCP')}")
    return joined(parts)


def _abbreviated(items: list[str]) -> str:
    if len(items) > SHOWN:
        return ",".join(items[:SHOWN]) + f" + {len(items) - SHOWN} more..."
    return joined(items)


def _addresses(endpoints: Object) -> str:
    found = []
    for subset in endpoints.get("subsets") or ():
        addresses = [address.get("ip", "") for address in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        if not ports:
            found += addresses
        for port in ports:
            found += [
                f"[{ip}]:{port.get('port', 0)}" if ":" in ip else f"{ip}:{port.get('port', 0)}"
                for ip in addresses
            ]
    return _abbreviated(found)


def _slice_ports(slice_: Object) -> str:
    ports = [str(p["port"]) if p.get("port") is not None else "*" for p in slice_.get("ports") or ()]
    return _abbreviated(ports) if ports else UNSET


def _slice_addresses(slice_: Object) -> str:
    addresses = [a for endpoint in slice_.get("endpoints") or () for a in endpoint.get("addresses") or ()]
    return _abbreviated(addresses) if addresses else UNSET


SERVICE = (
    NAME,
    Column(
        "Type", "string", lambda obj, _: obj.get("spec", {}).get("type", ""), description="How it is reached."
    ),
    Column(
        "Cluster-IP",
        "string",
        lambda obj, _: obj.get("spec", {}).get("clusterIP") or NONE,
        description="Its address inside the cluster.",
    ),
    Column(
        "External-IP", "string", lambda obj, _: _external(obj), description="What reaches it from outside."
    ),
    Column("Port(s)", "string", lambda obj, _: _ports(obj), description="Its ports, with node ports."),
    AGE,
    Column(
        "Selector",
        "string",
        lambda obj, _: pairs(obj.get("spec", {}).get("selector")),
        1,
        description="Labels of the pods behind it.",
    ),
)

ENDPOINTS = (
    NAME,
    Column("Endpoints", "string", lambda obj, _: _addresses(obj), description="Addresses and ports."),
    AGE,
)

ENDPOINT_SLICE = (
    NAME,
    Column(
        "AddressType", "string", lambda obj, _: obj.get("addressType", ""), description="IPv4, IPv6 or FQDN."
    ),
    Column("Ports", "string", lambda obj, _: _slice_ports(obj), description="Ports of the endpoints."),
    Column("Endpoints", "string", lambda obj, _: _slice_addresses(obj), description="Addresses."),
    AGE,
)
