"""Services and their endpoints, boiled down to what a data plane carries out.

Pure, and the same for every data plane. Which endpoints count follows kube-proxy
(`CategorizeEndpoints` in k8s.io/kubernetes/pkg/proxy/topology.go).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.objects.change import Object

SERVICE_NAME_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """Where a connection ends: a pod's address and the container's port."""

    ip: str
    port: int


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One address that clients connect to.

    Attributes:
        ip: the address; empty for every local address of the machine (a node port).
        protocol: `TCP` or `UDP`.
        service: `namespace/name`, for messages.
        endpoints: sorted. Empty means that connections are refused, at once.
        sticky: connections of one client address go to one endpoint while endpoints stay the same.
        exclusive: no other agent of this machine may serve it too.
    """

    ip: str
    protocol: str
    port: int
    service: str
    endpoints: tuple[Endpoint, ...] = ()
    sticky: bool = False
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a node, sorted; equal if they say the same, whichever revision they are of."""

    rules: tuple[Rule, ...] = ()
    revision: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class _Backend:
    endpoint: Endpoint
    node: str
    ready: bool
    serving: bool
    terminating: bool


def build(
    services: Iterable[Object], endpointslices: Iterable[Object], node: str, revision: int = 0
) -> Rules:
    """The rules of `node`.

    - An endpoint counts if it is ready. If a service has no ready one, those that are terminating
      and still serve count instead.
    - `internalTrafficPolicy: Local` (cluster IPs) and `externalTrafficPolicy: Local` (node ports,
      external and load balancer addresses) leave only endpoints on `node`.
    - Headless services and ExternalName have no rules: names alone lead to them.
    - Two services that want the same node port or external address: the first in the order of their
      names has it.
    """
    slices: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for piece in endpointslices:
        meta = piece["metadata"]
        service = (meta.get("labels") or {}).get(SERVICE_NAME_LABEL)
        if service and piece.get("addressType", "IPv4") == "IPv4":
            slices[meta.get("namespace", ""), service].append(piece)

    found: dict[tuple[str, str, int], Rule] = {}
    for service in sorted(services, key=lambda s: (s["metadata"]["namespace"], s["metadata"]["name"])):
        meta = service["metadata"]
        for rule in _rules_of(service, slices.get((meta["namespace"], meta["name"]), []), node):
            found.setdefault((rule.ip, rule.protocol, rule.port), rule)
    return Rules(tuple(sorted(found.values())), revision)


def cluster_ips(service: Object) -> list[str]:
    """The service's own IPv4 addresses; none for headless services and ExternalName."""
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return []
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP") or ""]
    return [ip for ip in addresses if ip and ip != "None" and ":" not in ip]


def _rules_of(service: Object, slices: list[Object], node: str) -> Iterator[Rule]:
    spec = service.get("spec") or {}
    internal = cluster_ips(service)
    if not internal:
        return
    external = [ip for ip in spec.get("externalIPs") or () if ":" not in ip]
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    external += [i["ip"] for i in balancer.get("ingress") or () if i.get("ip") and ":" not in i["ip"]]
    sticky = spec.get("sessionAffinity") == "ClientIP"
    name = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
    for port in spec.get("ports") or ():
        protocol = port.get("protocol") or "TCP"
        if protocol not in ("TCP", "UDP"):
            continue
        backends = list(_backends(slices, port.get("name") or "", protocol))
        inside = _usable(backends, node if spec.get("internalTrafficPolicy") == "Local" else None)
        outside = _usable(backends, node if spec.get("externalTrafficPolicy") == "Local" else None)
        for ip in internal:
            yield Rule(ip, protocol, port["port"], name, inside, sticky)
        for ip in external:
            yield Rule(ip, protocol, port["port"], name, outside, sticky)
        if port.get("nodePort") and spec.get("type") in ("NodePort", "LoadBalancer"):
            yield Rule("", protocol, port["nodePort"], name, outside, sticky)


def _backends(slices: list[Object], port_name: str, protocol: str) -> Iterator[_Backend]:
    """A condition that is not told counts as the EndpointSlice API says: ready, and serving if ready."""
    for piece in slices:
        for port in piece.get("ports") or ():
            if (port.get("name") or "") != port_name or (port.get("protocol") or "TCP") != protocol:
                continue
            if not port.get("port"):
                continue
            for item in piece.get("endpoints") or ():
                conditions = item.get("conditions") or {}
                ready = conditions.get("ready") is not False
                serving = conditions.get("serving")
                for address in (item.get("addresses") or ())[:1]:
                    yield _Backend(
                        Endpoint(address, port["port"]),
                        item.get("nodeName") or "",
                        ready,
                        ready if serving is None else serving,
                        bool(conditions.get("terminating")),
                    )


def _usable(backends: list[_Backend], only_node: str | None) -> tuple[Endpoint, ...]:
    if only_node is not None:
        backends = [b for b in backends if b.node == only_node]
    ready = {b.endpoint for b in backends if b.ready}
    return tuple(sorted(ready or {b.endpoint for b in backends if b.serving and b.terminating}))
