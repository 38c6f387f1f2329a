"""What a Service loses with its type: an update that changes the type needn't clear what only the old type had
(`dropTypeDependentFields` in kubernetes/pkg/registry/core/service)."""

from __future__ import annotations

from app.objects.change import Object
from app.registry import addresses


def changed(old: Object, new: Object) -> Object:
    """A changed Service, with the addresses that it keeps and without what went with its old type. What the author
    changed stays, and is validated."""
    return _without_old_type(old, addresses.carried_over(old, new))


def _without_old_type(old: Object, new: Object) -> Object:
    before, spec = old.get("spec") or {}, dict(new.get("spec") or {})
    kind = spec.get("type")
    if before.get("type") == kind:
        return new
    gone: list[str] = []
    if kind == "ExternalName":
        gone += ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]
    if kind != "LoadBalancer":
        gone += ["allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort"]
    if kind not in ("LoadBalancer", "NodePort") and not spec.get("externalIPs"):
        gone.append("externalTrafficPolicy")
    for field in gone:
        if spec.get(field) == before.get(field):
            spec.pop(field, None)
    if kind == "ExternalName" and _node_ports(spec) == _node_ports(before):
        spec["ports"] = [
            {k: v for k, v in port.items() if k != "nodePort"} for port in spec.get("ports") or ()
        ]
    return {**new, "spec": spec}


def _node_ports(spec: Object) -> list[int | None]:
    return [port.get("nodePort") for port in spec.get("ports") or ()]
