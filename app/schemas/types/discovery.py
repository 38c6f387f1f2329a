"""discovery.k8s.io/v1: EndpointSlices."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, ListOf, String, StringMap, Struct, Type
from app.schemas.formats import port_number
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_reference import ObjectReference


class Discovery(Type):
    """Types of this group."""

    package = "io.k8s.api.discovery.v1"


class EndpointConditions(Discovery):
    """Whether an endpoint takes traffic."""

    ready = Boolean(keep_zero=True)
    serving = Boolean(keep_zero=True)
    terminating = Boolean(keep_zero=True)


class ForNode(Discovery):
    """A node that should use an endpoint."""

    name = String(required=True, keep_zero=True)


class ForZone(Discovery):
    """A zone that should use an endpoint."""

    name = String(required=True, keep_zero=True)


class EndpointHints(Discovery):
    """Who should use an endpoint."""

    forZones = ListOf(Struct(ForZone))
    forNodes = ListOf(Struct(ForNode))


class Endpoint(Discovery):
    """A backend of a service."""

    addresses = ListOf(String(), required=True, keep_zero=True, list_type="set")
    conditions = Struct(EndpointConditions, "Aspects of what was observed, one of each type.", by_value=True)
    hostname = String(keep_zero=True)
    targetRef = Struct(ObjectReference)
    deprecatedTopology = StringMap()
    nodeName = String(keep_zero=True)
    zone = String(keep_zero=True)
    hints = Struct(EndpointHints)


class EndpointPort(Discovery):
    """A port behind a service."""

    name = String(keep_zero=True, default="")
    protocol = String(go="v1.Protocol", keep_zero=True, default="TCP", choices=("SCTP", "TCP", "UDP"))
    port = Int32(keep_zero=True, check=port_number)
    appProtocol = String(keep_zero=True)


class EndpointSlice(Discovery):
    """Some of the endpoints of a service."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    addressType = String(
        "IPv4, IPv6 or FQDN.",
        go="v1.AddressType",
        required=True,
        keep_zero=True,
        choices=("FQDN", "IPv4", "IPv6"),
        immutable=True,
    )
    endpoints = ListOf(Struct(Endpoint), "Backends.", keep_zero=True)
    ports = ListOf(Struct(EndpointPort), "Ports that all of them have.", keep_zero=True)
