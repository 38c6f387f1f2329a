"""EndpointSlices: a Service's endpoints in pieces of up to a hundred, so that one pod's change writes
and sends one piece.

An endpoint stays in its slice as long as it exists, and a slice that nothing changed in is not
written. https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.objects.change import Object, ReadView, Write, create, delete, key_of, update
from app.objects.meta import controller_of, controller_reference, is_deleting, labels
from workers.controllers.service_pods import ZONE, Backend, Ports, hostname, port_objects
from workers.controllers.template_hash import short_hash

RESOURCE = "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
PER_SLICE = 100


def writes(view: ReadView, service: Object, backends: Sequence[Backend]) -> list[Write]:
    """What to write so that the Service's slices show `backends`."""
    existing = [s for s in view.owned(RESOURCE, service["metadata"]["uid"]) if _is_ours(s, service)]
    by_ports: dict[Ports, list[Object]] = defaultdict(list)
    node_zones: dict[str, str] = {}
    for backend in backends:
        by_ports[backend.ports].append(_endpoint(view, service, backend, node_zones))
    if not by_ports:
        # One empty slice says that the Service has no endpoints, rather than that nobody looked yet.
        by_ports[_ports_of(existing[0]) if existing else ()] = []
    wanted: list[tuple[Object | None, Ports, list[Object]]] = []
    for ports, endpoints in by_ports.items():
        same = [s for s in existing if _ports_of(s) == ports]
        wanted.extend((slice_, ports, kept) for slice_, kept in _distribute(same, endpoints))
    own_labels = _labels(service)
    taken = {s["metadata"]["name"] for s in existing}
    result: list[Write] = []
    kept_names = set()
    for slice_, ports, endpoints in wanted:
        if slice_ is None:
            new = _new(service, ports, endpoints, own_labels, taken)
            taken.add(new["metadata"]["name"])
            result.append(create(RESOURCE, new))
            continue
        kept_names.add(slice_["metadata"]["name"])
        if (slice_.get("endpoints") or []) != endpoints or labels(slice_) != own_labels:
            meta = {**slice_["metadata"], "labels": own_labels}
            result.append(update(RESOURCE, {**slice_, "metadata": meta, "endpoints": endpoints}))
    result.extend(delete(RESOURCE, s) for s in existing if s["metadata"]["name"] not in kept_names)
    return result


def _distribute(
    slices: Sequence[Object], endpoints: Sequence[Object]
) -> list[tuple[Object | None, list[Object]]]:
    """Each endpoint into the slice it is in, the rest where there is room, then into new slices.
    Slices left empty are dropped, unless nothing else is left."""
    waiting = {endpoint["targetRef"]["uid"]: endpoint for endpoint in endpoints}
    filled: list[tuple[Object | None, list[Object]]] = []
    for slice_ in sorted(slices, key=key_of):
        uids = [(e.get("targetRef") or {}).get("uid") for e in slice_.get("endpoints") or ()]
        filled.append((slice_, [waiting.pop(uid) for uid in uids if uid in waiting]))
    rest = list(waiting.values())
    # Slices that change anyway take the newcomers first, the fullest of them before the others.
    changing = sorted(filled, key=lambda f: (f[0] is not None and f[0].get("endpoints") == f[1], -len(f[1])))
    for _, kept in changing:
        room = PER_SLICE - len(kept)
        if room > 0 and rest:
            kept.extend(rest[:room])
            rest = rest[room:]
    for start in range(0, len(rest), PER_SLICE):
        filled.append((None, rest[start : start + PER_SLICE]))
    used = [(slice_, kept) for slice_, kept in filled if kept]
    return used or filled[:1] or [(None, [])]


def _endpoint(view: ReadView, service: Object, backend: Backend, node_zones: dict[str, str]) -> Object:
    meta, spec = backend.pod["metadata"], backend.pod["spec"]
    always = bool(service["spec"].get("publishNotReadyAddresses"))
    endpoint: Object = {
        "addresses": [backend.address],
        "conditions": {
            "ready": always or (backend.serving and not backend.terminating),
            "serving": always or backend.serving,
            "terminating": backend.terminating,
        },
        "targetRef": {
            "kind": "Pod",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
        },
    }
    name = hostname(backend, service)
    if name:
        endpoint["hostname"] = name
    node = spec.get("nodeName")
    if node:
        endpoint["nodeName"] = node
        if node not in node_zones:
            found = view.get("nodes", node)
            node_zones[node] = labels(found).get(ZONE, "") if found else ""
        if node_zones[node]:
            endpoint["zone"] = node_zones[node]
    return endpoint


def _new(
    service: Object, ports: Ports, endpoints: list[Object], own_labels: dict[str, str], taken: set[str]
) -> Object:
    meta = service["metadata"]
    position = 0
    while True:
        # The same plan draws the same name again, so that doing it twice makes no second slice.
        name = f"{meta['name'][:57]}-{short_hash([meta['uid'], ports, position], 5)}"
        if name not in taken:
            break
        position += 1
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": name,
            "generateName": f"{meta['name'][:57]}-",
            "namespace": meta["namespace"],
            "labels": own_labels,
            "ownerReferences": [controller_reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": port_objects(ports),
    }


def _labels(service: Object) -> dict[str, str]:
    own = {**labels(service), SERVICE_NAME: service["metadata"]["name"], MANAGED_BY: MANAGER}
    if service["spec"].get("clusterIP") == "None":
        own[HEADLESS] = ""
    return own


def _is_ours(slice_: Object, service: Object) -> bool:
    owner = controller_of(slice_)
    mine = owner is not None and owner["uid"] == service["metadata"]["uid"]
    return mine and labels(slice_).get(MANAGED_BY) == MANAGER and not is_deleting(slice_)


def _ports_of(slice_: Object) -> Ports:
    return tuple(
        (p.get("name") or "", p["port"], p.get("protocol") or "TCP", p.get("appProtocol") or "")
        for p in slice_.get("ports") or ()
    )
