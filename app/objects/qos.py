"""A pod's quality of service class (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/)."""

from __future__ import annotations

from app.objects import quantity
from app.objects.change import Object

COUNTED = ("cpu", "memory")


def qos_class(spec: Object) -> str:
    """`Guaranteed` when every container limits cpu and memory and requests just that, `BestEffort`
    when none asks for either, else `Burstable`. A pod with resources of its own is judged by those."""
    whole = spec.get("resources") or {}
    if whole.get("requests") or whole.get("limits"):
        containers: list[Object] = [{"resources": whole}]
    else:
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    asks = False
    guaranteed = True
    for container in containers:
        resources = container.get("resources") or {}
        limits = _amounts(resources.get("limits"))
        requests = _amounts(resources.get("requests")) or limits
        asks = asks or bool(limits or requests)
        guaranteed = guaranteed and len(limits) == len(COUNTED) and limits == requests
    if not asks:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def _amounts(named: Object | None) -> dict[str, object]:
    """What is asked of cpu and memory; nothing asked and 0 are the same."""
    found = {name: quantity.nanos(named[name]) for name in COUNTED if name in (named or {})} if named else {}
    return {name: amount for name, amount in found.items() if amount}
