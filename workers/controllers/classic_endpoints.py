"""The older Endpoints object, one per Service, which many clients still read.

Unlike slices it leaves out terminating pods, and is cut off at a thousand addresses.
https://kubernetes.io/docs/concepts/services-networking/service/#endpoints
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.objects.change import Object, ReadView, Write, create, delete, key_of, update
from app.objects.meta import annotations_of, labels
from workers.controllers.service_pods import Backend, Ports, hostname, port_objects

RESOURCE = "endpoints"
MOST = 1000
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"
HEADLESS = "service.kubernetes.io/headless"


def writes(view: ReadView, service: Object, backends: Sequence[Backend]) -> list[Write]:
    """What to write so that the Service's Endpoints show `backends`."""
    current = view.get(RESOURCE, key_of(service))
    always = bool(service["spec"].get("publishNotReadyAddresses"))
    ready: dict[Ports, list[Object]] = defaultdict(list)
    unready: dict[Ports, list[Object]] = defaultdict(list)
    shown = [b for b in backends if always or not b.terminating]
    shown.sort(key=lambda b: not (b.serving or always))
    cut = len(shown) > MOST
    for backend in shown[:MOST]:
        side = ready if backend.serving or always else unready
        side[backend.ports].append(_address(service, backend))
    subsets = []
    for ports in sorted({*ready, *unready}):
        subset: Object = {}
        for field, side in (("addresses", ready), ("notReadyAddresses", unready)):
            if side.get(ports):
                subset[field] = sorted(side[ports], key=lambda a: a["ip"])
        listed = port_objects(ports)
        if listed:
            subset["ports"] = [{k: v for k, v in port.items() if v != ""} for port in listed]
        subsets.append(subset)
    own_labels = {**labels(service), MANAGED_BY: MANAGER}
    if service["spec"].get("clusterIP") == "None":
        own_labels[HEADLESS] = ""
    notes = {k: v for k, v in (annotations_of(current) if current else {}).items() if k != OVER_CAPACITY}
    if cut:
        notes[OVER_CAPACITY] = "truncated"
    meta = (
        dict(current["metadata"])
        if current
        else {
            "name": service["metadata"]["name"],
            "namespace": service["metadata"]["namespace"],
        }
    )
    meta["labels"] = own_labels
    meta.pop("annotations", None)
    if notes:
        meta["annotations"] = notes
    wanted: Object = {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta}
    if subsets:
        wanted["subsets"] = subsets
    if current is None:
        return [create(RESOURCE, wanted)]
    if (current.get("subsets") or []) == subsets and current["metadata"] == meta:
        return []
    return [update(RESOURCE, wanted)]


def leftover(view: ReadView, key: str) -> list[Write]:
    """Endpoints whose Service is gone go too, if they were made here."""
    current = view.get(RESOURCE, key)
    if current is None or labels(current).get(MANAGED_BY) != MANAGER:
        return []
    return [delete(RESOURCE, current)]


def _address(service: Object, backend: Backend) -> Object:
    meta = backend.pod["metadata"]
    address: Object = {"ip": backend.address}
    name = hostname(backend, service)
    if name:
        address["hostname"] = name
    if backend.pod["spec"].get("nodeName"):
        address["nodeName"] = backend.pod["spec"]["nodeName"]
    address["targetRef"] = {
        "kind": "Pod",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
    }
    return address
