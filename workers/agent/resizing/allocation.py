"""What of its node a pod has been given, which while it is being resized is not what it asks for. Pure.

A resize is a wish (https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/): the node
grants it at once, later (`Deferred`: others have what it takes) or never (`Infeasible`: the node has not so much).
Until then the pod keeps what it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.objects import pod_resources, quantity
from app.objects.change import Object
from workers.agent.pod import containers, init_containers, is_sidecar, status_of

# Name of a container -> its `resources`.
Allocation = dict[str, Object]
COUNTED = ("cpu", "memory")


@dataclass(frozen=True, slots=True)
class Pending:
    """Why a pod is not given what it asks for: `Deferred` or `Infeasible`, and what is lacking."""

    reason: str
    message: str


def resizable(pod: Object) -> list[Object]:
    """The containers that a resize can be about: those that keep running."""
    return [*(c for c in init_containers(pod) if is_sidecar(c)), *containers(pod)]


def asked_for(pod: Object) -> Allocation:
    """What the pod's spec says."""
    return {c["name"]: c.get("resources") or {} for c in resizable(pod)}


def known(pod: Object) -> Allocation:
    """What the pod was given as far as its status tells: what its containers run with, else what it asks for."""
    found = asked_for(pod)
    for name, asked in found.items():
        status = status_of(pod, name)
        if status.get("containerID") and "resources" in status:
            found[name] = _overlaid(asked, status["resources"])
    return found


def differs(pod: Object, given: Allocation) -> bool:
    """Whether the pod asks for other cpu or memory than it was given."""
    return any(_counted(asked) != _counted(given.get(name, {})) for name, asked in asked_for(pod).items())


def with_allocation(pod: Object, given: Allocation) -> Object:
    """The pod as if it asked for what it was given."""
    spec = dict(pod["spec"])
    for section in ("containers", "initContainers"):
        if spec.get(section):
            spec[section] = [
                {**c, "resources": given[c["name"]]}
                if c["name"] in given and (section == "containers" or is_sidecar(c))
                else c
                for c in spec[section]
            ]
    return {**pod, "spec": spec}


def verdict(pod: Object, others: Iterable[Object], cpu: int, memory: int) -> Pending | None:
    """Whether the node has what the pod asks for now, beside what the others were given.

    Args:
        others: the other pods of the node that are not over, each as it was given.
        cpu, memory: what pods can have of the node: millicores, bytes.
    """
    asked = _requests(pod)
    has = {"cpu": cpu, "memory": memory}
    for name in ("memory", "cpu"):
        if asked[name] > has[name]:
            lacking = f"{name}, requested: {asked[name]}, capacity: {has[name]}"
            return Pending("Infeasible", f"Node didn't have enough capacity: {lacking}")
    used = dict.fromkeys(COUNTED, 0)
    for other in others:
        for name, amount in _requests(other).items():
            used[name] += amount
    for name in COUNTED:
        if asked[name] and used[name] + asked[name] > has[name]:
            lacking = f"{name}, requested: {asked[name]}, used: {used[name]}, capacity: {has[name]}"
            return Pending("Deferred", f"Node didn't have enough resource: {lacking}")
    return None


def _requests(pod: Object) -> dict[str, int]:
    """cpu in millicores and memory in bytes."""
    whole = pod_resources.amounts(pod["spec"], "requests")
    return {
        "cpu": -(-whole.get("cpu", 0) // 1_000_000),
        "memory": -(-whole.get("memory", 0) // quantity.NANO),
    }


def _counted(resources: Object) -> dict[tuple[str, str], int]:
    return {
        (which, name): quantity.nanos(amount)
        for which in ("requests", "limits")
        for name, amount in (resources.get(which) or {}).items()
        if name in COUNTED
    }


def _overlaid(asked: Object, has: Object) -> Object:
    """`asked` with the cpu and memory that the container has."""
    found = {**asked}
    for which in ("requests", "limits"):
        rest = {n: a for n, a in (asked.get(which) or {}).items() if n not in COUNTED}
        mine = {n: a for n, a in (has.get(which) or {}).items() if n in COUNTED}
        if rest or mine:
            found[which] = {**rest, **mine}
        else:
            found.pop(which, None)
    return found
