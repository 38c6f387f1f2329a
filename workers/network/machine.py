"""What a Docker machine must allow before services work on it: forwarding between pods, and bridges
that let translated packets pass. All of it is asked for again and again, and done only where missing.
"""

from __future__ import annotations

import ipaddress
import json
import logging
from pathlib import Path

from workers.network.command import run

log = logging.getLogger(__name__)

SYSCTL = Path("/proc/sys/net")


def pass_bridged_packets() -> bool:
    """Have packets between two ports of one bridge go through the IP hooks, so that the answer of a pod
    on the client's own bridge gets its address translated back. False where the kernel can't."""
    switch = SYSCTL / "bridge" / "bridge-nf-call-iptables"
    if not switch.exists():
        run(["modprobe", "br_netfilter"])
    return _set(switch, "1")


def forward(cluster: str, pod_cidr: str, service_cidr: str) -> str:
    """Let packets be forwarded to pods once they were translated. Returns what could not be done, in one
    sentence, or nothing.

    Docker's own rules drop packets between two of its networks, which is what two nodes on one machine
    are, and those from outside to ports it did not publish itself. DOCKER-USER is where it leaves room
    for others to decide first (https://docs.docker.com/engine/network/packet-filtering-firewalls/). That pods
    reach each other's own addresses is the runtime's doing.
    """
    _set(SYSCTL / "ipv4" / "ip_forward", "1")
    rule = _accepting(cluster, pod_cidr)
    if run(["iptables", "-w", "5", "-C", *rule])[0] != 0:
        code, said = run(["iptables", "-w", "5", "-I", *rule])
        if code != 0:
            return f"connections to services may not reach pods of other networks: {_first_line(said)}"
    return _route(service_cidr, pod_cidr)


def stop_forwarding(cluster: str, pod_cidr: str) -> None:
    """Take back what `forward` told Docker."""
    run(["iptables", "-w", "5", "-D", *_accepting(cluster, pod_cidr)])


def _accepting(cluster: str, pod_cidr: str) -> list[str]:
    translated = ["-d", pod_cidr, "-m", "conntrack", "--ctstate", "DNAT"]
    return ["DOCKER-USER", *translated, "-m", "comment", "--comment", f"beanpole {cluster}", "-j", "ACCEPT"]


def _route(service_cidr: str, pod_cidr: str) -> str:
    """The machine's own connections to services need some route before they are translated; the default
    route will do, and where there is none, a bridge of pods."""
    address = str(ipaddress.ip_network(service_cidr)[1])
    if run(["ip", "-4", "route", "get", address])[0] == 0:
        return ""
    for bridge in bridges(pod_cidr):
        if run(["ip", "-4", "route", "replace", service_cidr, "dev", bridge])[0] == 0:
            return ""
    return f"this machine has no route to services ({service_cidr}), so only pods reach them"


def bridges(pod_cidr: str) -> list[str]:
    """The names of the bridges that have an address out of the pods' range."""
    code, said = run(["ip", "-j", "-4", "address", "show", "type", "bridge"])
    if code != 0:
        return []
    network = ipaddress.ip_network(pod_cidr)
    return [
        link["ifname"]
        for link in json.loads(said or "[]")
        if any(ipaddress.ip_address(a["local"]) in network for a in link.get("addr_info", ()))
    ]


def let_pods_reach_themselves(pod_cidr: str) -> None:
    """A pod that connects to a service may be given itself as the endpoint. A bridge sends nothing back
    through the port it came from, unless that port is a hairpin."""
    ours = set(bridges(pod_cidr))
    for bridge in ours:
        _set(SYSCTL / "ipv4" / "conf" / bridge / "route_localnet", "1")
    if not ours:
        return
    code, said = run(["ip", "-j", "-d", "link", "show", "type", "bridge_slave"])
    links = json.loads(said or "[]") if code == 0 else []
    if not links:
        code, said = run(["ip", "-j", "-d", "link", "show"])
        links = json.loads(said or "[]") if code == 0 else []
    flat = [
        link["ifname"]
        for link in links
        if link.get("master") in ours
        and not (link.get("linkinfo", {}).get("info_slave_data") or {}).get("hairpin", False)
    ]
    if flat:
        batch = "".join(f"link set dev {name} type bridge_slave hairpin on\n" for name in flat)
        code, said = run(["ip", "-force", "-batch", "-"], batch)
        if code != 0:  # a pod that ended meanwhile took its link along
            log.debug("hairpin: %s", _first_line(said))


def _set(switch: Path, value: str) -> bool:
    try:
        if switch.read_text().strip() != value:
            switch.write_text(value)
    except OSError as exc:
        log.debug("%s: %s", switch, exc)
        return False
    return True


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[0]
