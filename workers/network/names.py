"""Which names a cluster's DNS knows, and what they stand for. Pure.

The names follow the specification that CoreDNS and kube-dns follow:
https://github.com/kubernetes/dns/blob/master/docs/specification.md
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.objects.change import Object
from workers.network.rules import SERVICE_NAME_LABEL, cluster_ips

Srv = tuple[int, str]  # port, target


@dataclass(slots=True)
class Names:
    """All names below one cluster domain, in lower case and without the last dot.

    Attributes:
        a: name -> addresses. srv: name -> (port, target) pairs. cname: name -> target.
        ptr: address -> name. known: every name that exists, including those between the domain and a
            name with records: those have no records, but are no NXDOMAIN either.
    """

    domain: str
    a: dict[str, list[str]] = field(default_factory=dict)
    srv: dict[str, list[Srv]] = field(default_factory=dict)
    cname: dict[str, str] = field(default_factory=dict)
    ptr: dict[str, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def owns(self, name: str) -> bool:
        """Whether a name lies in the cluster's domain, so that nobody else may be asked for it."""
        return name == self.domain or name.endswith("." + self.domain)


def build(
    services: Iterable[Object], endpointslices: Iterable[Object], domain: str = "cluster.local"
) -> Names:
    """The names of all services.

    `web.default.svc.<domain>` is the cluster IP; for a headless service, its ready endpoints. Ports with
    a name have SRV records `_http._tcp.web...`. Endpoints of a headless service have names of their own:
    their hostname, else their address with dashes.
    """
    names = Names(domain.lower().rstrip("."))
    slices: dict[tuple[str, str], list[Object]] = {}
    for piece in endpointslices:
        meta = piece["metadata"]
        service = (meta.get("labels") or {}).get(SERVICE_NAME_LABEL)
        if service and piece.get("addressType", "IPv4") == "IPv4":
            slices.setdefault((meta.get("namespace", ""), service), []).append(piece)
    for service in services:
        meta, spec = service["metadata"], service.get("spec") or {}
        name = f"{meta['name']}.{meta['namespace']}.svc.{names.domain}".lower()
        if spec.get("type") == "ExternalName":
            names.cname[name] = str(spec.get("externalName", "")).lower().rstrip(".")
        elif spec.get("clusterIP") == "None":
            _headless(names, name, slices.get((meta["namespace"], meta["name"]), []))
        else:
            _with_address(names, name, service)
    names.known = _with_parents(names)
    return names


def _with_address(names: Names, name: str, service: Object) -> None:
    addresses = cluster_ips(service)
    if not addresses:
        return
    names.a[name] = addresses
    for ip in addresses:
        names.ptr[ip] = name
    for port in service["spec"].get("ports") or ():
        if port.get("name"):
            protocol = (port.get("protocol") or "TCP").lower()
            names.srv[f"_{port['name']}._{protocol}.{name}".lower()] = [(port["port"], name)]


def _headless(names: Names, name: str, slices: list[Object]) -> None:
    addresses: dict[str, None] = {}
    for piece in slices:
        for endpoint in piece.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is False or not endpoint.get("addresses"):
                continue
            ip = endpoint["addresses"][0]
            addresses[ip] = None
            own = f"{endpoint.get('hostname') or ip.replace('.', '-')}.{name}".lower()
            if ip not in names.a.setdefault(own, []):
                names.a[own].append(ip)
            if endpoint.get("hostname"):
                names.ptr[ip] = own
            else:
                names.ptr.setdefault(ip, own)
            for port in piece.get("ports") or ():
                if port.get("name") and port.get("port"):
                    protocol = (port.get("protocol") or "TCP").lower()
                    found = names.srv.setdefault(f"_{port['name']}._{protocol}.{name}".lower(), [])
                    if (port["port"], own) not in found:
                        found.append((port["port"], own))
    # Also without endpoints the service is there: no records, but no NXDOMAIN.
    names.a[name] = sorted(addresses)


def _with_parents(names: Names) -> set[str]:
    known = {names.domain, f"svc.{names.domain}", f"pod.{names.domain}"}
    for name in (*names.a, *names.srv, *names.cname):
        while name != names.domain and name not in known:
            known.add(name)
            name = name.partition(".")[2]
    return known


def pod_address(name: str, domain: str) -> str | None:
    """The address that `10-244-1-5.<namespace>.pod.<domain>` spells out; None for any other name."""
    labels = name.removesuffix("." + domain).split(".")
    if len(labels) != 3 or labels[2] != "pod":
        return None
    parts = labels[0].split("-")
    if len(parts) != 4 or not all(p.isdigit() and len(p) <= 3 and int(p) <= 255 for p in parts):
        return None
    return ".".join(str(int(p)) for p in parts)
