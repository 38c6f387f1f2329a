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
# The metric of the route to services, greater than what network managers give theirs.
LAST = 100_000


def pass_bridged_packets() -> bool:
    """Have packets between two ports of one bridge go through the IP hooks, so that the answer of a pod
    on the client's own bridge gets its address translated back. False where the kernel can't."""
    switch = SYSCTL / "bridge" / "bridge-nf-call-iptables"
    if not switch.exists():
        run(["modprobe", "br_netfilter"])
    return _set(switch, "1")


def forward(cluster: str, pod_cidr: str, service_cidr: str) -> str:
    """Let connections to services reach pods once they were translated, and go nowhere else before. Returns what
    could not be done, in one sentence, or nothing.

    Docker's own rules drop packets between two of its networks, which is what two nodes on one machine
    are, and those from outside to ports it did not publish itself. DOCKER-USER is where it leaves room
    for others to decide first (https://docs.docker.com/engine/network/packet-filtering-firewalls/). That pods
    reach each other's own addresses is the runtime's doing.
    """
    _set(SYSCTL / "ipv4" / "ip_forward", "1")
    problems = [_route(service_cidr)]
    rule = _accepting(cluster, pod_cidr)
    if run(["iptables", "-w", "5", "-C", *rule])[0] != 0:
        code, said = run(["iptables", "-w", "5", "-I", *rule])
        if code != 0:
            problems.append(
                f"connections to services may not reach pods of other networks: {_first_line(said)}"
            )
    return next(filter(None, problems), "")


def stop_forwarding(cluster: str, pod_cidr: str, service_cidr: str) -> None:
    """Take back what `forward` did for this cluster."""
    run(["iptables", "-w", "5", "-D", *_accepting(cluster, pod_cidr)])
    run(["ip", "-4", "route", "delete", *stay(service_cidr)])


def _accepting(cluster: str, pod_cidr: str) -> list[str]:
    translated = ["-d", pod_cidr, "-m", "conntrack", "--ctstate", "DNAT"]
    return ["DOCKER-USER", *translated, "-m", "comment", "--comment", f"beanpole {cluster}", "-j", "ACCEPT"]


def _route(service_cidr: str) -> str:
    """Have connections to services stay on this machine until they are translated, and where nothing translates them.

    What the machine itself connects to is routed before it is translated, and once more afterwards. By the loopback
    device it goes nowhere; by the default route it would leave the machine while the table of rules is missing.
    """
    address = str(ipaddress.ip_network(service_cidr)[1])
    code, said = run(["ip", "-j", "-4", "route", "get", address])
    found = (json.loads(said or "[]") or [{}])[0] if code == 0 else {}
    if found.get("dev") == "lo":
        return ""
    # Endpoints that are no pods see the address that the connection began with: the one it had without this route.
    source = ["src", found["prefsrc"]] if "prefsrc" in found else []
    code, said = run(["ip", "-4", "route", "replace", *stay(service_cidr), *source])
    if code == 0 or found:
        return ""
    return f"this machine has no route to services ({service_cidr}), so only pods reach them: {_first_line(said)}"


def stay(cidr: str) -> list[str]:
    """The route by which nothing leaves the machine, in the words of ip-route(8): the last of those to the same range, so
    that one that leads somewhere comes first."""
    return [cidr, "dev", "lo", "metric", str(LAST)]


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
