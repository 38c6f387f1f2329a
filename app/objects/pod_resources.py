"""What a whole pod asks for, of every resource: the sum over its containers.

https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from app.objects import quantity
from app.objects.change import Object

Amounts = dict[str, int]


def totals(spec: Object, which: Literal["requests", "limits"]) -> dict[str, str]:
    """`amounts`, as quantities."""
    return {name: shown(name, amount) for name, amount in amounts(spec, which).items()}


def amounts(spec: Object, which: Literal["requests", "limits"], *, overhead: bool = True) -> Amounts:
    """The pod's requests or limits in billionths. Init containers run one after the other before the rest, so the
    larger of both counts; sidecars run beside all that start after them. A pod's own `resources` come first, and
    overhead comes on top.
    """
    whole: Amounts = {}
    for container in spec.get("containers") or ():
        _add(whole, _asked(container, which))
    peak: Amounts = {}
    beside: Amounts = {}
    for container in spec.get("initContainers") or ():
        own = _asked(container, which)
        if container.get("restartPolicy") == "Always":
            _add(beside, own)
            own = {}
        _raise_to(peak, {name: own.get(name, 0) + beside.get(name, 0) for name in {*own, *beside}})
    _add(whole, beside)
    _raise_to(whole, peak)
    whole.update(_amounts((spec.get("resources") or {}).get(which)))
    if overhead and spec.get("overhead"):
        for name, amount in _amounts(spec["overhead"]).items():
            if which == "requests" or name in whole:
                whole[name] = whole.get(name, 0) + amount
    return whole


def shown(name: str, nanos: int) -> str:
    """An amount of a resource as Kubernetes writes it: bytes in binary units, the rest in decimal ones."""
    if nanos % quantity.NANO == 0 and _is_bytes(name):
        return quantity.of_bytes(nanos // quantity.NANO)
    return quantity.canonical(f"{nanos}n")


def _is_bytes(name: str) -> bool:
    return name.rpartition(".")[2] in ("memory", "storage", "ephemeral-storage") or "hugepages-" in name


def _asked(container: Object, which: str) -> Amounts:
    return _amounts((container.get("resources") or {}).get(which))


def _amounts(named: Mapping[str, Any] | None) -> Amounts:
    return {name: quantity.nanos(amount) for name, amount in named.items()} if named else {}


def _add(into: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        into[name] = into.get(name, 0) + amount


def _raise_to(into: Amounts, least: Amounts) -> None:
    for name, amount in least.items():
        if amount > into.get(name, 0):
            into[name] = amount
