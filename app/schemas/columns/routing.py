"""The tables of Ingresses, network policies, and addresses of services."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME, NONE, selector
from app.schemas.kind import Column

SHOWN = 3


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}


def _hosts(ingress: Object) -> str:
    hosts = [rule["host"] for rule in _spec(ingress).get("rules") or () if rule.get("host")]
    if not hosts:
        return "*"
    shown = ",".join(hosts[:SHOWN])
    return f"{shown} + {len(hosts) - SHOWN} more..." if len(hosts) > SHOWN else shown


def _address(ingress: Object) -> str:
    balancer = (ingress.get("status") or {}).get("loadBalancer") or {}
    return ",".join(i.get("ip") or i.get("hostname") or "" for i in balancer.get("ingress") or ())


def _parameters(ingress_class: Object) -> str:
    ref = _spec(ingress_class).get("parameters")
    if not ref:
        return NONE
    kind = f"{ref.get('kind', '')}.{ref['apiGroup']}" if ref.get("apiGroup") else ref.get("kind", "")
    return f"{kind}/{ref.get('name', '')}"


def _parent(address: Object) -> str:
    ref = _spec(address).get("parentRef") or {}
    parts = [ref.get(field) for field in ("resource", "group", "namespace", "name")]
    if parts[1]:
        parts[0:2] = [f"{parts[0]}.{parts[1]}"]
    return "/".join(part for part in parts if part)


INGRESS = (
    NAME,
    Column(
        "Class",
        "string",
        lambda obj, _: _spec(obj).get("ingressClassName") or NONE,
        description="The class it is of.",
    ),
    Column("Hosts", "string", lambda obj, _: _hosts(obj), description="Hosts it has rules for."),
    Column("Address", "string", lambda obj, _: _address(obj), description="Where it can be reached."),
    Column(
        "Ports",
        "string",
        lambda obj, _: "80, 443" if _spec(obj).get("tls") else "80",
        description="Ports at which it can be reached.",
    ),
    AGE,
)

INGRESS_CLASS = (
    NAME,
    Column(
        "Controller",
        "string",
        lambda obj, _: _spec(obj).get("controller", ""),
        description="Who carries it out.",
    ),
    Column(
        "Parameters", "string", lambda obj, _: _parameters(obj), description="Settings of the controller."
    ),
    AGE,
)

NETWORK_POLICY = (
    NAME,
    Column(
        "Pod-Selector",
        "string",
        lambda obj, _: selector(_spec(obj).get("podSelector")),
        description="The pods it is about.",
    ),
    AGE,
)

IP_ADDRESS = (
    NAME,
    Column("ParentRef", "string", lambda obj, _: _parent(obj), description="Whose address it is."),
)

SERVICE_CIDR = (
    NAME,
    Column(
        "CIDRs", "string", lambda obj, _: ",".join(_spec(obj).get("cidrs") or ()), description="The ranges."
    ),
    AGE,
)
