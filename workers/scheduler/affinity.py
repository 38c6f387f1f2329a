"""Which nodes a pod asks for by their labels: nodeSelector and node affinity.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from app.objects import node_affinity
from app.objects.change import Object
from workers.scheduler.state import NodeState


def matches(spec: Object, node: NodeState) -> bool:
    """Whether the node is one that the pod must or may run on."""
    return node_affinity.matches(spec, node.name, node.labels)


def preference(spec: Object, node: NodeState) -> float:
    """How much of what the pod prefers the node offers, from 0 to 1."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    total = sum(wish["weight"] for wish in preferred)
    if not total:
        return 0.0
    offered = sum(
        wish["weight"]
        for wish in preferred
        if node_affinity.term_matches(wish["preference"], node.name, node.labels)
    )
    return float(offered / total)
