"""What a proxied name stands for: `[scheme:]name[:port]` of a pod or a service, and which pod answers for it.

The rules and sentences are those of kubernetes/pkg/registry/core/pod/strategy.go (ResourceLocation),
pkg/registry/core/service/storage/storage.go and k8s.io/apimachinery/pkg/util/net (SplitSchemeNamePort).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.base.errors import BadRequest, ServiceUnavailable
from app.objects.change import Object


@dataclass(frozen=True, slots=True)
class Named:
    """A name as it stands in the path."""

    scheme: str
    name: str
    port: str


@dataclass(frozen=True, slots=True)
class Backend:
    """A pod, by namespace and name, the port there, and its address for messages and `Host`."""

    namespace: str
    pod: str
    port: int
    address: str


def split(kind: str, text: str) -> Named:
    """Raises BadRequest: it is none of `name`, `name:port`, `scheme:name:port`."""
    parts = text.split(":")
    if len(parts) == 1:
        named = Named("", text, "")
    elif len(parts) == 2:
        named = Named("", parts[0], parts[1])
    else:
        named = Named(parts[0], parts[1], ":".join(parts[2:]))
    if named.scheme not in ("", "http", "https") or not named.name or ":" in named.port:
        raise BadRequest(f"invalid {kind} request {_quoted(text)}")
    return Named(named.scheme or "http", named.name, named.port)


def of_pod(pod: Object, named: Named) -> Backend:
    """Raises BadRequest: there is no such port, or the pod has no address."""
    port = named.port
    if not port:
        listed = [p for c in (pod.get("spec") or {}).get("containers") or () for p in c.get("ports") or ()]
        port = str(listed[0]["containerPort"]) if listed else "443" if named.scheme == "https" else "80"
    address = (pod.get("status") or {}).get("podIP")
    if not address:
        raise BadRequest("address not allowed")
    return Backend(pod["metadata"]["namespace"], pod["metadata"]["name"], _number(port, "pod"), address)


def of_service(service: Object, slices: Iterable[Object], named: Named) -> list[Backend]:
    """All pods that answer.

    Raises:
        ServiceUnavailable: there is none, or no such port.
    """
    name = service["metadata"]["name"]
    wanted = named.port
    if wanted.isdigit():
        ports = (service.get("spec") or {}).get("ports") or ()
        found = next((p for p in ports if p["port"] == int(wanted)), None)
        if found is None:
            raise ServiceUnavailable(f"no service port {wanted} found for service {_quoted(name)}")
        wanted = found.get("name") or ""
    backends = [
        Backend(target["namespace"], target["name"], port["port"], endpoint["addresses"][0])
        for piece in slices
        for port in piece.get("ports") or ()
        if port.get("port") and (port.get("name") or "") == wanted
        for endpoint in piece.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready") is not False
        and (target := endpoint.get("targetRef") or {}).get("kind") == "Pod"
    ]
    if not backends:
        raise ServiceUnavailable(f"no endpoints available for service {_quoted(name)}")
    return backends


def _number(port: str, kind: str) -> int:
    if port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536:
        return int(port)
    raise BadRequest(f"invalid {kind} request: {_quoted(port)} is no port")


def _quoted(text: str) -> str:
    return '"' + text[:128].replace('"', '\\"') + '"'
