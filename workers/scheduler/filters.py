"""Why a pod can't run on a node. Each filter answers with the reason, in Kubernetes' words, or None.

What the node itself rules out (`fixed`) holds for the whole pass; what depends on what else runs there
(`room`) is asked again for every pod.
"""

from __future__ import annotations

from collections.abc import Callable

from app.objects import quantity, taints
from workers.scheduler import affinity
from workers.scheduler.demand import Demand
from workers.scheduler.state import NodeState, ports_clash

Filter = Callable[[Demand, NodeState], str | None]


def unschedulable(demand: Demand, node: NodeState) -> str | None:
    """`kubectl cordon`. Its taint follows a moment later; a pod that tolerates that may pass."""
    if not (node.node.get("spec") or {}).get("unschedulable"):
        return None
    taint = {"key": taints.UNSCHEDULABLE, "effect": taints.NO_SCHEDULE}
    if taints.tolerated(taint, demand.spec.get("tolerations") or ()):
        return None
    return "node(s) were unschedulable"


def tainted(demand: Demand, node: NodeState) -> str | None:
    """Taints that keep pods away which don't tolerate them; a node that is not ready has one."""
    if not node.taints:
        return None
    effects = (taints.NO_SCHEDULE, taints.NO_EXECUTE)
    taint = taints.untolerated(node.taints, demand.spec.get("tolerations") or (), effects)
    if taint is None:
        return None
    return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value') or ''}}}"


def elsewhere(demand: Demand, node: NodeState) -> str | None:
    """nodeSelector and required node affinity."""
    if affinity.matches(demand.spec, node):
        return None
    return "node(s) didn't match Pod's node affinity/selector"


def crowded(demand: Demand, node: NodeState) -> str | None:
    """The number of pods a node takes."""
    return "Too many pods" if node.pods >= node.max_pods else None


def short_of_cpu(demand: Demand, node: NodeState) -> str | None:
    """cpu requested, of what the node's pods have not requested. Asking for none always fits."""
    asked = demand.asked.cpu
    return "Insufficient cpu" if asked and node.used_cpu + asked > node.cpu else None


def short_of_memory(demand: Demand, node: NodeState) -> str | None:
    """memory requested, likewise."""
    asked = demand.asked.memory
    return "Insufficient memory" if asked and node.used_memory + asked > node.memory else None


def short_of_storage(demand: Demand, node: NodeState) -> str | None:
    """ephemeral storage requested, likewise; a node that doesn't say how much it has is not asked."""
    asked = demand.asked.storage
    if not asked or node.storage < 0 or node.used_storage + asked <= node.storage:
        return None
    return "Insufficient ephemeral-storage"


def short_of_more(demand: Demand, node: NodeState) -> str | None:
    """Huge pages, and resources that somebody has told nodes to have; one that a node does not speak of it has not."""
    for name, amount in demand.asked.more:
        if node.used_more.get(name, 0) + amount > quantity.value(node.has.get(name, 0)):
            return f"Insufficient {name}"
    return None


def ports_taken(demand: Demand, node: NodeState) -> str | None:
    """Host ports, of which each can be had once."""
    if not demand.ports or not ports_clash(demand.ports, node.ports):
        return None
    return "node(s) didn't have free ports for the requested pod ports"


FIXED: tuple[Filter, ...] = (unschedulable, tainted, elsewhere)
ROOM: tuple[Filter, ...] = (
    crowded,
    short_of_cpu,
    short_of_memory,
    short_of_storage,
    short_of_more,
    ports_taken,
)


def fixed(demand: Demand, node: NodeState) -> str | None:
    """The first reason that nothing can change during this pass."""
    return next((reason for f in FIXED if (reason := f(demand, node))), None)


def room(demand: Demand, node: NodeState) -> list[str]:
    """Everything the node lacks room for: a user wants to know both cpu and memory."""
    return [reason for f in ROOM if (reason := f(demand, node))]


def has_room(demand: Demand, node: NodeState) -> bool:
    """Whether `room` finds nothing; asked once for each pod placed, so without a list."""
    asked = demand.asked
    return (
        node.pods < node.max_pods
        and (not asked.cpu or node.used_cpu + asked.cpu <= node.cpu)
        and (not asked.memory or node.used_memory + asked.memory <= node.memory)
        and short_of_storage(demand, node) is None
        and (not asked.more or short_of_more(demand, node) is None)
        and ports_taken(demand, node) is None
    )
