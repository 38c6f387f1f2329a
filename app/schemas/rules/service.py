"""Rules for services and endpoints (k8s.io/kubernetes/pkg/apis/core/validation and discovery/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import dns_label, dns_subdomain, ip_address, port_number, qualified_name
from app.schemas.rules.meta import labels
from app.schemas.rules.service_type import by_type

SLICE_LIMIT = 1000
ADDRESSES_LIMIT = 100
PORTS_LIMIT = 20000


def service_spec(spec: Object, path: str, faults: Faults) -> None:
    kind = spec.get("type")
    ports = spec.get("ports") or ()
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        faults.required(f"{path}.ports")
    _ports(spec, path, faults)
    if spec.get("selector"):
        labels(spec["selector"], f"{path}.selector", faults)
    if kind == "ExternalName":
        name = (spec.get("externalName") or "").removesuffix(".")
        if not name:
            faults.required(f"{path}.externalName")
        else:
            faults.all_invalid(f"{path}.externalName", name, dns_subdomain(name))
        if spec.get("clusterIP"):
            faults.forbidden(f"{path}.clusterIPs", "may not be set for ExternalName services")
    _addresses(spec, path, faults)
    for i, address in enumerate(spec.get("externalIPs") or ()):
        faults.all_invalid(f"{path}.externalIPs[{i}]", address, ip_address(address))
    by_type(spec, path, faults)
    timeout = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if timeout is not None and not 0 < timeout <= 86400:
        faults.invalid(
            f"{path}.sessionAffinityConfig.clientIP.timeoutSeconds",
            timeout,
            "must be greater than 0 and less than 86400",
        )


def _ports(spec: Object, path: str, faults: Faults) -> None:
    ports = spec.get("ports") or ()
    names: set[str] = set()
    node_ports: set[tuple[int, str]] = set()
    numbers: set[tuple[int, str]] = set()
    for i, given in enumerate(ports):
        where = f"{path}.ports[{i}]"
        name = given.get("name")
        if not name and len(ports) > 1:
            faults.required(f"{where}.name")
        elif name and name in names:
            faults.duplicate(f"{where}.name", name)
        names.add(name)
        number = given.get("port", 0)
        faults.all_invalid(f"{where}.port", number, port_number(number))
        key = (number, given.get("protocol", "TCP"))
        if key in numbers:
            faults.duplicate(where, {"port": key[0], "protocol": key[1]})
        numbers.add(key)
        if given.get("appProtocol"):
            faults.all_invalid(
                f"{where}.appProtocol", given["appProtocol"], qualified_name(given["appProtocol"])
            )
        if not given.get("nodePort"):
            continue
        if spec.get("type") == "ClusterIP":
            faults.forbidden(f"{where}.nodePort", "may not be used when `type` is 'ClusterIP'")
        node_port = (given["nodePort"], given.get("protocol", "TCP"))
        if node_port in node_ports:
            faults.duplicate(f"{where}.nodePort", given["nodePort"])
        node_ports.add(node_port)


def _addresses(spec: Object, path: str, faults: Faults) -> None:
    given = spec.get("clusterIPs") or ()
    for i, address in enumerate(given):
        where = f"{path}.clusterIPs[{i}]"
        if address == "None":
            if i or len(given) > 1:
                faults.invalid(where, address, "must be empty or 'None' only once")
            elif spec.get("type") in ("NodePort", "LoadBalancer"):
                faults.invalid(where, address, f"may not be set to 'None' for {spec['type']} services")
        elif address:
            faults.all_invalid(where, address, ip_address(address))
    if given and spec.get("clusterIP") and given[0] != spec["clusterIP"]:
        faults.invalid(f"{path}.clusterIPs", given, "first value must match `clusterIP`")


def subset(given: Object, path: str, faults: Faults) -> None:
    """A subset of Endpoints has an address, and its ports have names if there are several."""
    if not given.get("addresses") and not given.get("notReadyAddresses"):
        faults.required(path, "must specify `addresses` or `notReadyAddresses`")
    for section in ("addresses", "notReadyAddresses"):
        for i, address in enumerate(given.get(section) or ()):
            where = f"{path}.{section}[{i}]"
            if address.get("hostname"):
                faults.all_invalid(f"{where}.hostname", address["hostname"], dns_label(address["hostname"]))
            if address.get("nodeName"):
                faults.all_invalid(
                    f"{where}.nodeName", address["nodeName"], dns_subdomain(address["nodeName"])
                )
    ports = given.get("ports") or ()
    for i, port_ in enumerate(ports):
        name = port_.get("name")
        if not name and len(ports) > 1:
            faults.required(f"{path}.ports[{i}].name")
        elif name:
            faults.all_invalid(f"{path}.ports[{i}].name", name, dns_label(name))


def endpoint_slice(given: Object, path: str, faults: Faults) -> None:
    endpoints = given.get("endpoints") or ()
    if len(endpoints) > SLICE_LIMIT:
        faults.too_many("endpoints", len(endpoints), SLICE_LIMIT)
    ports = given.get("ports") or ()
    if len(ports) > PORTS_LIMIT:
        faults.too_many("ports", len(ports), PORTS_LIMIT)
    for i, endpoint in enumerate(endpoints):
        if len(endpoint.get("addresses") or ()) > ADDRESSES_LIMIT:
            faults.too_many(f"endpoints[{i}].addresses", len(endpoint["addresses"]), ADDRESSES_LIMIT)
        hostname = endpoint.get("hostname")
        if hostname is not None:
            faults.all_invalid(f"endpoints[{i}].hostname", hostname, dns_label(hostname))
        for j, address in enumerate(endpoint.get("addresses") or ()):
            where = f"endpoints[{i}].addresses[{j}]"
            if given.get("addressType") == "FQDN":
                faults.all_invalid(where, address, dns_subdomain(address))
            else:
                faults.all_invalid(where, address, ip_address(address))
    names: set[str] = set()
    for i, port_ in enumerate(ports):
        name = port_.get("name") or ""
        if name:
            faults.all_invalid(f"ports[{i}].name", name, dns_label(name))
        if name in names:
            faults.duplicate(f"ports[{i}].name", name)
        names.add(name)
