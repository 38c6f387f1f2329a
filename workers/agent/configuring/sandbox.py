"""From a pod to the surroundings that its containers share."""

from __future__ import annotations

from collections.abc import Mapping

from app.base.errors import BeanpoleError
from app.objects import pod_hostname
from app.objects.change import Object
from app.objects.references import RUNTIME_CLASSES
from workers.agent.configuring.sources import NotYetKnown
from workers.agent.configuring.sysctls import dotted
from workers.agent.pod import ref
from workers.runtime.protocol import SandboxSpec
from workers.runtime.security import HostPort, Shared


class NoClass(BeanpoleError):
    """The pod's RuntimeClass does not exist."""


def shared(pod: Object) -> Shared:
    """What the pod's containers share with the machine and each other."""
    spec = pod["spec"]
    return Shared(
        network=bool(spec.get("hostNetwork")),
        pid=bool(spec.get("hostPID")),
        ipc=bool(spec.get("hostIPC")),
        processes=bool(spec.get("shareProcessNamespace")),
    )


def host_ports(pod: Object) -> tuple[HostPort, ...]:
    """Ports of the machine that lead into the pod: none if it is in the machine's network anyway."""
    spec = pod["spec"]
    if spec.get("hostNetwork"):
        return ()
    return tuple(
        HostPort(
            port["hostPort"], port["containerPort"], port.get("protocol") or "TCP", port.get("hostIP") or ""
        )
        for section in ("initContainers", "containers")
        for container in spec.get(section) or ()
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )


def handler_of(pod: Object, objects: Mapping[str, Object | None]) -> str:
    """Which runtime of the engine the pod's RuntimeClass names; empty: it has no class.

    Args:
        objects: as `Sources.objects`.

    Raises:
        NotYetKnown: the class has not come yet. NoClass: there is none of that name.
    """
    name = pod["spec"].get("runtimeClassName")
    if not name:
        return ""
    key = f"{RUNTIME_CLASSES} {name}"
    if key not in objects:
        raise NotYetKnown(key)
    found = objects[key]
    if found is None:
        raise NoClass(f'failed to get runtimeclass: RuntimeClass.node.k8s.io "{name}" not found')
    return str(found["handler"])


def sandbox_spec(
    pod: Object, address: str, domain: str, resolv_conf: str = "", hosts: str = "", handler: str = ""
) -> SandboxSpec:
    """The pod's surroundings as they should be now.

    Args:
        domain: the cluster's. resolv_conf, hosts: contents of those files. handler: see `SandboxSpec`.

    Raises:
        TooLong: see `app.objects.pod_hostname`.
    """
    context = pod["spec"].get("securityContext") or {}
    return SandboxSpec(
        ref(pod),
        address,
        pod_hostname.shown(pod, domain),
        resolv_conf,
        hosts,
        pod["metadata"].get("annotations") or {},
        shared=shared(pod),
        sysctls=tuple(
            (dotted(str(each["name"])), str(each["value"])) for each in context.get("sysctls") or ()
        ),
        host_ports=host_ports(pod),
        handler=handler,
    )
