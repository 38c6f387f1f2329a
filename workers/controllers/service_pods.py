"""Which pods stand behind a Service, and on which ports.

https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.objects import pods
from app.objects.change import Object, ReadView
from app.objects.meta import labels

ZONE = "topology.kubernetes.io/zone"

# (name, port, protocol, appProtocol)
Port = tuple[str, int, str, str]
Ports = tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class Backend:
    """A pod as an endpoint of one Service. `terminating` holds from the moment it is marked for
    deletion; a terminating pod is never ready, but may still be serving."""

    pod: Object
    address: str
    ports: Ports
    serving: bool
    terminating: bool


def backends(view: ReadView, service: Object) -> list[Backend]:
    """The pods that the Service selects and that have an address, in the order of their keys."""
    wanted = service["spec"]["selector"].items()
    namespace = service["metadata"]["namespace"]
    declared = service["spec"].get("ports") or []
    fixed = None if any(_is_named(port) for port in declared) else _ports(declared, {})
    found = []
    for pod in view.list("pods", namespace):
        meta = pod["metadata"]
        if not (wanted <= (meta.get("labels") or {}).items()):
            continue
        status = pod.get("status") or {}
        address = status.get("podIP")
        if not address or status.get("phase") in pods.FINISHED:
            continue
        ports = _ports(declared, pod) if fixed is None else fixed
        found.append(Backend(pod, address, ports, pods.is_ready(pod), "deletionTimestamp" in meta))
    return found


def _is_named(port: Object) -> bool:
    target = port.get("targetPort")
    return isinstance(target, str) and not target.isdigit()


def _ports(declared: Iterable[Object], pod: Object) -> Ports:
    """The Service's ports as numbers on this pod. A name that the pod doesn't have leaves its port out."""
    found = []
    for port in declared:
        protocol = port.get("protocol") or "TCP"
        number = _number(port, protocol, pod)
        if number is not None:
            found.append((port.get("name") or "", number, protocol, port.get("appProtocol") or ""))
    return tuple(found)


def _number(port: Object, protocol: str, pod: Object) -> int | None:
    target = port.get("targetPort")
    if not target:
        return int(port["port"])
    if not _is_named(port):
        return int(target)
    spec = pod.get("spec") or {}
    sidecars = (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
    for container in (*(spec.get("containers") or ()), *sidecars):
        for own in container.get("ports") or ():
            if own.get("name") == target and (own.get("protocol") or "TCP") == protocol:
                return int(own["containerPort"])
    return None


def port_objects(ports: Ports) -> list[Object]:
    """The ports as an Endpoints subset has them; a slice also names the empty name."""
    result = []
    for name, number, protocol, app_protocol in ports:
        port: Object = {"name": name, "port": number, "protocol": protocol}
        if app_protocol:
            port["appProtocol"] = app_protocol
        result.append(port)
    return result


def hostname(backend: Backend, service: Object) -> str:
    """The name under which the pod itself is found below the Service's, if it asks for one."""
    spec = backend.pod["spec"]
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        return str(spec["hostname"])
    return ""


def facts(pod: Object) -> object:
    """What of a pod its endpoints show. None while it can't be one, so that creating and binding
    thousands of pods makes no work here."""
    status = pod.get("status") or {}
    address = status.get("podIP")
    if not address or status.get("phase") in pods.FINISHED:
        return None
    return address, pods.is_ready(pod), "deletionTimestamp" in pod["metadata"], labels(pod)


def selecting(pod: Object, view: ReadView) -> list[str]:
    """The keys of the Services that select the pod."""
    namespace = pod["metadata"]["namespace"]
    own = labels(pod).items()
    return [
        f"{namespace}/{service['metadata']['name']}"
        for service in view.list("services", namespace)
        if service["spec"].get("selector") and service["spec"]["selector"].items() <= own
    ]
