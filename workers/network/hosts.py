"""Names inside a pod: its /etc/hosts and /etc/resolv.conf. Pure.

The process runtime can't give pods a DNS server of their own (the resolver's port is 53 at one address
for the whole machine), so there the names of services are lines of the hosts file, rewritten whenever
services change.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import pod_hostname
from app.objects.change import Object
from workers.network.names import Names, build

HOST_HEAD = "# Kubernetes-managed hosts file (host network).\n"
OWN_HEAD = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"


def hosts_for(
    namespace: str,
    services: Iterable[Object],
    endpointslices: Iterable[Object] = (),
    domain: str = "cluster.local",
) -> str:
    """The lines by which a pod in `namespace` finds all services, sorted: every name that DNS knows and
    its shorter forms, as a search list would complete them. The bare name is only for services of the
    pod's own namespace."""
    return _lines(namespace, build(services, endpointslices, domain))


class ServiceLines:
    """`hosts_for` of one state of the services, for many pods: worked out once for each namespace that has some."""

    def __init__(
        self,
        services: Iterable[Object] = (),
        endpointslices: Iterable[Object] = (),
        domain: str = "cluster.local",
    ) -> None:
        self._build = lambda: build(services, endpointslices, domain)
        self._names: Names | None = None
        self._lines: dict[str, str] = {}

    def of(self, namespace: str) -> str:
        """The lines for a pod in `namespace`."""
        found = self._lines.get(namespace)
        if found is None:
            self._names = self._names or self._build()
            found = self._lines[namespace] = _lines(namespace, self._names)
        return found


def _lines(namespace: str, names: Names) -> str:
    ending = f".svc.{names.domain}"
    lines = []
    for full, addresses in sorted(names.a.items()):
        if not full.endswith(ending):
            continue
        short = full.removesuffix(ending)
        forms = [short, f"{short}.svc", full]
        host, _, its_namespace = short.rpartition(".")
        if its_namespace == namespace:
            forms.insert(0, host)
        lines += [f"{ip}\t{' '.join(forms)}\n" for ip in addresses]
    return "".join(lines)


def pod_hosts(
    pod: Object, address: str, services: str = "", domain: str = "cluster.local", machine: str = ""
) -> str:
    """A pod's whole hosts file: localhost, the pod's own names, its hostAliases, and `services` as `hosts_for` gives
    them.

    Args:
        domain: the cluster's. machine: contents of the machine's own file, with which that of a pod in the machine's
            network begins.
    """
    spec = pod.get("spec") or {}
    if spec.get("hostNetwork"):
        text = f"{HOST_HEAD}{machine.rstrip()}\n" if machine else OWN_HEAD
    else:
        names = dict.fromkeys((pod_hostname.full(pod, domain), pod_hostname.short(pod)))
        text = f"{OWN_HEAD}{address}\t{' '.join(names)}\n"
    for alias in spec.get("hostAliases") or ():
        if alias.get("hostnames"):
            text += f"{alias['ip']}\t{' '.join(alias['hostnames'])}\n"
    return text + services


def resolv_conf(pod: Object, nameserver: str, machine: str = "", domain: str = "cluster.local") -> str:
    """A pod's resolver settings after its dnsPolicy and dnsConfig.

    Args:
        nameserver: the node's DNS address; empty where there is none (then the machine's own serve).
        machine: contents of the machine's /etc/resolv.conf.
    """
    spec = pod.get("spec") or {}
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    if policy == "ClusterFirst" and spec.get("hostNetwork"):
        policy = "Default"
    servers, searches, options = _parsed(machine)
    if policy == "None":
        servers, searches, options = [], [], {}
    elif policy != "Default":
        namespace = pod["metadata"]["namespace"]
        searches = [f"{namespace}.svc.{domain}", f"svc.{domain}", domain, *searches]
        options = {"ndots": "5"}
        if nameserver:
            servers = [nameserver]
    config = spec.get("dnsConfig") or {}
    servers = _once([*servers, *(config.get("nameservers") or ())])
    searches = _once([*searches, *(config.get("searches") or ())])
    for option in config.get("options") or ():
        options[option["name"]] = option.get("value") or ""
    lines = [f"nameserver {s}" for s in servers[:3]]
    if searches:
        lines.append("search " + " ".join(searches))
    if options:
        lines.append("options " + " ".join(f"{k}:{v}" if v else k for k, v in options.items()))
    return "".join(line + "\n" for line in lines)


def _parsed(text: str) -> tuple[list[str], list[str], dict[str, str]]:
    servers: list[str] = []
    searches: list[str] = []
    options: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2:
            continue
        if words[0] == "nameserver":
            servers.append(words[1])
        elif words[0] in ("search", "domain"):
            searches = words[1:]
        elif words[0] == "options":
            options = {w.partition(":")[0]: w.partition(":")[2] for w in words[1:]}
    return servers, searches, options


def _once(items: list[str]) -> list[str]:
    return list(dict.fromkeys(items))
