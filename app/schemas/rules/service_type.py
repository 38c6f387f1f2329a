"""Rules for what a Service may have by its type (k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import cidr_range, qualified_name

FAMILIES = ("IPv4", "IPv6")
DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_OF_BALANCERS = "may only be used when `type` is 'LoadBalancer'"
_NOT_EXTERNAL = "may not be set for ExternalName services"


def by_type(spec: Object, path: str, faults: Faults) -> None:
    kind = spec.get("type")
    if kind == "ExternalName":
        for field in ("ipFamilies", "ipFamilyPolicy"):
            if spec.get(field):
                faults.forbidden(f"{path}.{field}", _NOT_EXTERNAL)
    if spec.get("sessionAffinity") == "None" and spec.get("sessionAffinityConfig") is not None:
        faults.forbidden(f"{path}.sessionAffinityConfig", "must not be set when session affinity is None")
    if spec.get("ipFamilies"):
        _families(spec["ipFamilies"], f"{path}.ipFamilies", faults)
    ranges = spec.get("loadBalancerSourceRanges") or ()
    if ranges and kind != "LoadBalancer":
        faults.forbidden(f"{path}.LoadBalancerSourceRanges", _OF_BALANCERS)
    for i, text in enumerate(ranges):
        plain = text.strip()
        faults.all_invalid(f"{path}.LoadBalancerSourceRanges[{i}]", plain, cidr_range(plain))
    if spec.get("allocateLoadBalancerNodePorts") is not None and kind != "LoadBalancer":
        faults.forbidden(f"{path}.allocateLoadBalancerNodePorts", _OF_BALANCERS)
    balancer = spec.get("loadBalancerClass")
    if balancer is not None and kind != "LoadBalancer":
        faults.forbidden(f"{path}.loadBalancerClass", _OF_BALANCERS)
    elif balancer is not None:
        faults.all_invalid(f"{path}.loadBalancerClass", balancer, qualified_name(balancer))
    _traffic(spec, path, faults)


def _families(families: list[str], path: str, faults: Faults) -> None:
    for i, family in enumerate(families):
        if family not in FAMILIES:
            faults.not_supported(f"{path}[{i}]", family, FAMILIES)
        if family in families[:i]:
            faults.duplicate(f"{path}[{i}]", family)


def _traffic(spec: Object, path: str, faults: Faults) -> None:
    kind, policy = spec.get("type"), spec.get("externalTrafficPolicy")
    accessible = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs"))
    if policy and not accessible:
        faults.invalid(
            f"{path}.externalTrafficPolicy", policy, "may only be set for externally-accessible services"
        )
    port = spec.get("healthCheckNodePort")
    if port and not (kind == "LoadBalancer" and policy == "Local"):
        faults.invalid(
            f"{path}.healthCheckNodePort",
            port,
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        )
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in DISTRIBUTIONS:
        faults.not_supported(f"{path}.trafficDistribution", distribution, DISTRIBUTIONS)
