"""API group networking.k8s.io."""

from __future__ import annotations

from app.schemas.columns import routing as columns_routing
from app.schemas.kind import Kind
from app.schemas.types import ingress, network_policy, service_address

_GROUP = "networking.k8s.io"

KINDS: tuple[Kind, ...] = (
    Kind(
        _GROUP, "v1", "IngressClass", "ingressclasses", "ingressclass", False, ingress.IngressClass,
        columns=columns_routing.INGRESS_CLASS,
    ),
    Kind(
        _GROUP, "v1", "Ingress", "ingresses", "ingress", True, ingress.Ingress, short_names=("ing",),
        subresources=frozenset({"status"}), columns=columns_routing.INGRESS,
        notice="Ingresses are stored, but no controller of this cluster carries them out yet",
    ),
    Kind(
        _GROUP, "v1", "IPAddress", "ipaddresses", "ipaddress", False, service_address.IPAddress,
        short_names=("ip",), columns=columns_routing.IP_ADDRESS,
    ),
    Kind(
        _GROUP, "v1", "NetworkPolicy", "networkpolicies", "networkpolicy", True, network_policy.NetworkPolicy,
        short_names=("netpol",), columns=columns_routing.NETWORK_POLICY,
        notice="NetworkPolicies are stored, but nothing in this cluster enforces them yet",
    ),
    Kind(
        _GROUP, "v1", "ServiceCIDR", "servicecidrs", "servicecidr", False, service_address.ServiceCIDR,
        subresources=frozenset({"status"}), columns=columns_routing.SERVICE_CIDR,
    ),
)  # fmt: skip
