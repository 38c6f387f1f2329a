"""Which of the nodes that can take a pod is best. Higher is better; the unit is points.

What counts, by weight: no taint with PreferNoSchedule that the pod doesn't tolerate; the labels it
prefers; few pods of the same controller on the node, and in its zone; much free cpu and memory. The
score of a node only falls while a pass places pods, which lets a heap find the best one.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.objects import taints
from workers.scheduler import affinity
from workers.scheduler.demand import Demand
from workers.scheduler.state import NodeState

TAINT = 300.0
PREFERENCE = 200.0
SAME_ON_NODE = 20.0
# Less than a pod on the same node, for zones hold many nodes.
SAME_IN_ZONE = 2.0
FREE = 100.0
ZONE = "topology.kubernetes.io/zone"


def fixed(demand: Demand, node: NodeState) -> float:
    """The part that holds for the whole pass."""
    points = PREFERENCE * affinity.preference(demand.spec, node) if demand.spec.get("affinity") else 0.0
    tolerations = demand.spec.get("tolerations") or ()
    for taint in node.taints:
        if taint.get("effect") == taints.PREFER_NO_SCHEDULE and not taints.tolerated(taint, tolerations):
            points -= TAINT
    return points


def current(demand: Demand, node: NodeState, in_zone: Mapping[str, int]) -> float:
    """The part that depends on what runs: `in_zone` counts this group's pods by zone."""
    asked = demand.asked
    free = 0.0
    if node.cpu:
        free += max(0.0, 1 - (node.used_cpu + asked.cpu) / node.cpu)
    if node.memory:
        free += max(0.0, 1 - (node.used_memory + asked.memory) / node.memory)
    if node.max_pods:
        # Pods that request nothing take room as well.
        free += max(0.0, 1 - (node.pods + 1) / node.max_pods)
    points = FREE * free / 3 - SAME_ON_NODE * node.groups.get(demand.group, 0)
    zone = node.labels.get(ZONE)
    return points - SAME_IN_ZONE * in_zone.get(zone, 0) if zone else points
