"""Rules for network policies and addresses of services (k8s.io/kubernetes/pkg/apis/networking/validation)."""

from __future__ import annotations

import ipaddress

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import cidr_range, port_name, port_number

PROTOCOLS = ("SCTP", "TCP", "UDP")
POLICY_TYPES = ("Egress", "Ingress")


def network_policy_spec(spec: Object, path: str, faults: Faults) -> None:
    for section, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(spec.get(section) or ()):
            where = f"{path}.{section}[{i}]"
            for j, port in enumerate(rule.get("ports") or ()):
                _port(port, f"{where}.ports[{j}]", faults)
            for j, peer in enumerate(rule.get(peers) or ()):
                _peer(peer, f"{where}.{peers}[{j}]", faults)
    types = spec.get("policyTypes") or ()
    if len(types) > len(POLICY_TYPES):
        faults.invalid(f"{path}.policyTypes", types, "may not specify more than two policyTypes")
        return
    for i, kind in enumerate(types):
        if kind not in POLICY_TYPES:
            faults.not_supported(f"{path}.policyTypes[{i}]", kind, POLICY_TYPES)


def _port(given: Object, path: str, faults: Faults) -> None:
    protocol, port, last = given.get("protocol"), given.get("port"), given.get("endPort")
    if protocol is not None and protocol not in PROTOCOLS:
        faults.not_supported(f"{path}.protocol", protocol, PROTOCOLS)
    if isinstance(port, int):
        faults.all_invalid(f"{path}.port", port, port_number(port))
    elif port is not None:
        faults.all_invalid(f"{path}.port", port, port_name(port))
    if last is None:
        return
    if port is None:
        faults.invalid(f"{path}.endPort", last, "must not be specified when `port` is not specified")
    elif isinstance(port, str):
        faults.invalid(f"{path}.endPort", last, "must not be specified when `port` is non-numeric")
    else:
        if last < port:
            faults.invalid(f"{path}.endPort", last, "must be greater than or equal to `port`")
        faults.all_invalid(f"{path}.endPort", last, port_number(last))


def _peer(peer: Object, path: str, faults: Faults) -> None:
    given = [name for name in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(name) is not None]
    if not given:
        faults.required(path, "must specify a peer")
    elif "ipBlock" in given and len(given) > 1:
        faults.forbidden(path, "may not specify both ipBlock and another peer")
    if "ipBlock" in given:
        _block(peer["ipBlock"], f"{path}.ipBlock", faults)


def _block(block: Object, path: str, faults: Faults) -> None:
    text = block.get("cidr") or ""
    wrong = cidr_range(text) if text else [""]
    if text:
        faults.all_invalid(f"{path}.cidr", text, wrong)
    for i, left_out in enumerate(block.get("except") or ()):
        where = f"{path}.except[{i}]"
        bad = cidr_range(left_out)
        faults.all_invalid(where, left_out, bad)
        if not wrong and not bad and not _strictly_inside(left_out, text):
            faults.invalid(where, left_out, "must be a strict subset of `cidr`")


def _strictly_inside(small: str, large: str) -> bool:
    inner, outer = ipaddress.ip_network(small, strict=False), ipaddress.ip_network(large, strict=False)
    return (
        inner.version == outer.version
        and inner.prefixlen > outer.prefixlen
        and inner.network_address in outer
    )


def ip_address_object(given: Object, path: str, faults: Faults) -> None:
    """Its name is an address, written as addresses are."""
    name = (given.get("metadata") or {}).get("name") or ""
    try:
        plain = str(ipaddress.ip_address(name))
    except ValueError:
        faults.invalid("metadata.name", name, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        return
    if plain != name:
        faults.invalid("metadata.name", name, f'must be in canonical form ("{plain}")')


def service_cidr_spec(spec: Object, path: str, faults: Faults) -> None:
    cidrs = spec.get("cidrs") or ()
    if not cidrs:
        faults.required(f"{path}.cidrs", "at least one CIDR required")
        return
    if len(cidrs) > 2:
        faults.invalid(f"{path}.cidrs", cidrs, "may only hold up to 2 values")
        return
    for i, text in enumerate(cidrs):
        faults.all_invalid(f"{path}.cidrs[{i}]", text, cidr_range(text))
    if len(cidrs) == 2 and (":" in cidrs[0]) == (":" in cidrs[1]):
        faults.invalid(
            f"{path}.cidrs", cidrs, "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and "
            "2001:db8::/96"
        )  # fmt: skip
