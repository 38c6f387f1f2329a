"""Whether a node can take a pod that was bound to it, whoever bound it. Pure.

The scheduler binds no pod that would be refused; users who name a node themselves, and files of static pods, may. The
order and the words are kubelet's (pkg/kubelet/lifecycle).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.objects import node_affinity, pod_resources, pods, quantity, taints
from app.objects.change import Object
from app.objects.qos import qos_class
from workers.agent.pod import is_critical, is_static
from workers.scheduler.state import HostPort, host_ports, ports_clash

_MORE = frozenset({"cpu", "memory"})


class Refusal(NamedTuple):
    """Why not: `reason` as the pod's status has it."""

    reason: str
    message: str


class Asked(NamedTuple):
    """What a pod asks for: cpu in millicores, memory in bytes, other resources, ports of its node."""

    cpu: int
    memory: int
    more: Mapping[str, int]
    ports: tuple[HostPort, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """The node, as far as it matters who may run there.

    Attributes:
        conditions: those that say it is under pressure and are True. leaving: it is shutting down.
    """

    name: str
    labels: Mapping[str, str]
    taints: Sequence[Object]
    allocatable: Mapping[str, str]
    conditions: Collection[str] = ()
    leaving: bool = False


def asked_by(pod: Object) -> Asked:
    """What it asks for."""
    cpu, memory = pods.requests(pod)
    more: Mapping[str, int] = {}
    if _names(pod["spec"]) - _MORE:
        amounts = pod_resources.amounts(pod["spec"], "requests")
        more = {name: amount // quantity.NANO for name, amount in amounts.items() if name not in _MORE}
    return Asked(cpu, memory, more, host_ports(pod))


def refusal(pod: Object, asked: Asked, others: Iterable[Asked], room: Room) -> Refusal | None:
    """Why the node can't take the pod beside the `others` that it has; None if it can."""
    return (
        _pressed(pod, room)
        or _short(asked, list(others), room.allocatable)
        or _misplaced(pod, room)
        or (
            Refusal("NodeShutdown", "Pod was rejected as the node is shutting down.")
            if room.leaving
            else None
        )
    )


def _pressed(pod: Object, room: Room) -> Refusal | None:
    if not room.conditions or is_critical(pod):
        return None
    if set(room.conditions) == {"MemoryPressure"}:
        taint = {"key": taints.PRESSURES["MemoryPressure"], "effect": taints.NO_SCHEDULE}
        if qos_class(pod["spec"]) != "BestEffort" or taints.tolerated(
            taint, pod["spec"].get("tolerations") or ()
        ):
            return None
    return Refusal("Evicted", f"The node had condition: [{' '.join(sorted(room.conditions))}]. ")


def _short(asked: Asked, others: list[Asked], has: Mapping[str, str]) -> Refusal | None:
    if "pods" in has and len(others) + 1 > int(has["pods"]):
        return _out_of("pods", 1, len(others), int(has["pods"]))
    used = sum(each.cpu for each in others)
    if asked.cpu and "cpu" in has and used + asked.cpu > quantity.millis(has["cpu"]):
        return _out_of("cpu", asked.cpu, used, quantity.millis(has["cpu"]))
    used = sum(each.memory for each in others)
    if asked.memory and "memory" in has and used + asked.memory > quantity.value(has["memory"]):
        return _out_of("memory", asked.memory, used, quantity.value(has["memory"]))
    for name, amount in asked.more.items():
        # An extended resource that the node does not know is not asked of it, as kubelet has it.
        if amount and name in has:
            used = sum(each.more.get(name, 0) for each in others)
            if used + amount > quantity.value(has[name]):
                return _out_of(name, amount, used, quantity.value(has[name]))
    if asked.ports and any(ports_clash(asked.ports, set(each.ports)) for each in others if each.ports):
        return _predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    return None


def _misplaced(pod: Object, room: Room) -> Refusal | None:
    if not node_affinity.matches(pod["spec"], room.name, room.labels):
        return _predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
    if is_static(pod) or not room.taints:
        return None
    taint = taints.untolerated(room.taints, pod["spec"].get("tolerations") or (), (taints.NO_EXECUTE,))
    if taint is None:
        return None
    return _predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")


def _out_of(name: str, requested: int, used: int, capacity: int) -> Refusal:
    what = f"requested: {requested}, used: {used}, capacity: {capacity}"
    return Refusal(f"OutOf{name}", f"Node didn't have enough resource: {name}, {what}")


def _predicate(name: str, why: str) -> Refusal:
    return Refusal(name, f"Predicate {name} failed: {why}")


def _names(spec: Object) -> set[str]:
    found: set[str] = set()
    for section in ("containers", "initContainers"):
        for container in spec.get(section) or ():
            found.update((container.get("resources") or {}).get("requests") or ())
    if spec.get("overhead") or spec.get("resources"):
        found.add("(more)")
    return found
