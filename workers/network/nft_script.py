"""The nftables table that carries out a machine's service rules, as text for `nft -f -`. Pure.

A new connection to a service's address is looked up in one map and sent to that service's chain, which
draws an endpoint (DNAT). Connection tracking keeps an established connection on its endpoint, whatever
becomes of the rules. What is still addressed to a service afterwards has no endpoint and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from workers.network.rules import Rule, Rules


def table_name(cluster: str) -> str:
    return "beanpole-" + re.sub(r"[^A-Za-z0-9_-]", "_", cluster)


def removal(table: str) -> str:
    """Removes the table whether or not there is one."""
    return f"add table ip {table}\ndelete table ip {table}\n"


# How long a TCP connection to a service is remembered once it has ended. Seconds. The kernel's own default, two minutes,
# is long enough for a client to use the same port again, and an engine that removes a container forgets what it lists
# of that container's connections by the client's port alone: a new connection to another endpoint would be cut.
REMEMBERED = 1


def script(
    rules: Rules, table: str, service_cidr: str, pod_cidr: str, *, bridged: bool = True, brief: bool = True
) -> str:
    """One transaction that replaces the whole table: packets see either the old one or the new one.

    Args:
        service_cidr, pod_cidr: the cluster's ranges.
        bridged: whether packets between two pods on one bridge pass the IP hooks
            (net.bridge.bridge-nf-call-iptables). If not, the answer of a pod on the client's own bridge
            would come from the wrong address, so the client's address is masked too.
        brief: whether connections that have ended are forgotten soon, which not every kernel can.
    """
    services: list[str] = []
    ports: list[str] = []
    refused: list[str] = []
    refused_ports: list[str] = []
    chains: list[str] = []
    for number, rule in enumerate(rules.rules):
        protocol = rule.protocol.lower()
        key = f"{rule.ip} . {protocol} . {rule.port}" if rule.ip else f"{protocol} . {rule.port}"
        if rule.endpoints:
            (services if rule.ip else ports).append(f"{key} : goto s{number}")
            chains.append(_service_chain(number, rule, brief))
        else:
            (refused if rule.ip else refused_ports).append(key)
    pods = sorted({e.ip for rule in rules.rules for e in rule.endpoints})
    masked = [
        # A pod that reaches itself must see another address than its own, or it answers to itself.
        "ct status dnat ip saddr . ip daddr @itself masquerade",
        # From outside the pods' range (this machine, or a node port's client) the way back must lead here.
        f"ct status dnat ip saddr != {pod_cidr} ip daddr {pod_cidr} masquerade",
    ]
    if not bridged:
        masked.append(f"ct status dnat ip saddr {pod_cidr} ip daddr {pod_cidr} masquerade")
    refusal = "meta l4proto tcp reject with tcp reset\n    reject with icmp port-unreachable"
    address = "ipv4_addr . inet_proto . inet_service"
    port = "inet_proto . inet_service"
    parts = [
        *([_timeout()] if brief else []),
        _set("map", "services", f"{address} : verdict", services),
        _set("map", "nodeports", f"{port} : verdict", ports),
        _set("set", "refused", address, refused),
        _set("set", "refused_nodeports", port, refused_ports),
        _set("set", "itself", "ipv4_addr . ipv4_addr", (f"{ip} . {ip}" for ip in pods)),
        *chains,
        _chain(
            "dispatch",
            "ip daddr . meta l4proto . th dport vmap @services",
            "fib daddr type local meta l4proto . th dport vmap @nodeports",
        ),
        _chain("prerouting", "type nat hook prerouting priority -105; policy accept;", "jump dispatch"),
        _chain("output", "type nat hook output priority -105; policy accept;", "jump dispatch"),
        _chain("postrouting", "type nat hook postrouting priority 95; policy accept;", *masked),
        _chain("refuse", refusal),
        # After DNAT (-105 and -100), before the firewall's filters (0), which may drop silently.
        *(
            _chain(
                f"check_{hook}",
                f"type filter hook {hook} priority -95; policy accept;",
                # Not known to belong to a connection: refusing it would reset one that is alive.
                f"ip daddr {service_cidr} ct state invalid drop",
                f"ip daddr {service_cidr} goto refuse",
                "ct state new ip daddr . meta l4proto . th dport @refused goto refuse",
                "ct state new fib daddr type local meta l4proto . th dport @refused_nodeports goto refuse",
            )
            for hook in ("prerouting", "output")
        ),
        # Node ports answer on 127.0.0.1 too, for which the pods' bridges route loopback addresses
        # (route_localnet); what arrives from elsewhere with such a destination is forged.
        _chain(
            "forged",
            "type filter hook prerouting priority -300; policy accept;",
            'iifname != "lo" ip daddr 127.0.0.0/8 drop',
        ),
    ]
    return f"{removal(table)}table ip {table} {{\n" + "".join(parts) + "}\n"


def _service_chain(number: int, rule: Rule, brief: bool) -> str:
    ends = rule.endpoints
    protocol = f"meta l4proto {rule.protocol.lower()}"  # nft wants it told before a port may change
    first = ['ct timeout set "brief"'] if brief and rule.protocol == "TCP" else []
    if len(ends) == 1:
        return _chain(f"s{number}", *first, f"{protocol} dnat ip to {ends[0].ip}:{ends[0].port}")
    draw = "jhash ip saddr" if rule.sticky else "numgen random"
    drawn = ", ".join(f"{i} : {e.ip} . {e.port}" for i, e in enumerate(ends))
    return _chain(f"s{number}", *first, f"{protocol} dnat ip to {draw} mod {len(ends)} map {{ {drawn} }}")


def _timeout() -> str:
    policy = f"time_wait : {REMEMBERED}, close : {REMEMBERED}"
    return f"  ct timeout brief {{\n    protocol tcp;\n    l3proto ip;\n    policy = {{ {policy} }}\n  }}\n"


def _chain(name: str, *lines: str) -> str:
    return f"  chain {name} {{\n" + "".join(f"    {line}\n" for line in lines) + "  }\n"


def _set(what: str, name: str, kind: str, elements: Iterable[str]) -> str:
    held = ", ".join(elements)
    given = f"    elements = {{ {held} }}\n" if held else ""
    return f"  {what} {name} {{\n    type {kind}\n{given}  }}\n"
