"""Names that one object at a time may hold: addresses and ports given out by the API.

A commit takes them with the object and gives them up with it (`Write.claims`, `Write.releases`).
"""

from __future__ import annotations

from app.objects.change import Object

CLUSTER_IP = "clusterIP/"
NODE_PORT = "nodePort/"
POD_CIDR = "podCIDR/"


def claims_of(resource: str, obj: Object) -> tuple[str, ...]:
    """What `obj` holds: a Service its cluster IPs and node ports, a Node its range of pod addresses."""
    if resource == "services":
        return _of_service(obj.get("spec") or {})
    if resource == "nodes":
        cidr = (obj.get("spec") or {}).get("podCIDR")
        return (POD_CIDR + cidr,) if cidr else ()
    return ()


def _of_service(spec: Object) -> tuple[str, ...]:
    if spec.get("type") == "ExternalName":
        return ()
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP")]
    held = [CLUSTER_IP + address for address in addresses if address and address != "None"]
    for port in spec.get("ports") or ():
        if port.get("nodePort"):
            held.append(f"{NODE_PORT}{port['nodePort']}/{port.get('protocol') or 'TCP'}")
    return tuple(dict.fromkeys(held))
