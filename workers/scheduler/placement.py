"""One pass: a node for every pod that can have one, and for the others the reasons why not.

Pods are placed class by class (see `demand`). Within a class a heap holds the nodes that can take one
more, best first. Scores only fall and room only shrinks while pods are placed, so the node on top is
scored again: if it is still the best it is taken, else it sinks. That makes a placement cost the
logarithm of the number of nodes. Classes with rules about topology, where one placement may open
another node, ask every node for every pod.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.objects import node_affinity, pods
from app.objects.change import Object, ReadView, Write
from workers.scheduler import filters, scores, unsupported
from workers.scheduler.claims import IN_USE, Promises, Storage
from workers.scheduler.demand import Demand, demands, group_of, is_waiting
from workers.scheduler.state import NodeState, asked_by, host_ports, nodes_of
from workers.scheduler.topology import Rules


@dataclass(slots=True)
class Decision:
    """What a pass decided: `(pod, node name)` for those placed, `(pod, message)` for the others; and what makes
    claims be bound whose pods have a node in prospect."""

    placed: list[tuple[Object, str]] = field(default_factory=list)
    refused: list[tuple[Object, str]] = field(default_factory=list)
    storage: list[Write] = field(default_factory=list)


def decide(view: ReadView) -> Decision:
    """Place all pods that wait."""
    waiting = [pod for pod in view.on_node("") if is_waiting(pod)]
    decision = Decision()
    if not waiting:
        return decision
    nodes = nodes_of(view)
    by_name = {node.name: node for node in nodes}
    bound = _occupy(view, nodes)
    promises = Promises()
    for demand in demands(waiting):
        unknown = unsupported.field_of(demand.pod)
        if unknown is not None:
            message = f"the scheduler does not support {unknown}"
            decision.refused.extend((pod, message) for pod in demand.pods)
            continue
        rules = Rules(demand, bound, view)
        possible = _possible(demand, nodes, by_name)
        if rules:
            rules.set_domains(demand, nodes)
        if demand.claims:
            _place_with_claims(
                demand, possible, nodes, rules, bound, decision, Storage(demand.pod, view, promises)
            )
        elif rules:
            _place_ruled(demand, possible, nodes, rules, bound, decision)
        else:
            _place_freely(demand, possible, nodes, bound, decision)
    return decision


def _possible(
    demand: Demand, nodes: Sequence[NodeState], by_name: Mapping[str, NodeState]
) -> Sequence[NodeState]:
    """The nodes to look at. A DaemonSet's pod names its one, and there are as many such pods as nodes."""
    named = node_affinity.only(demand.spec) if demand.spec.get("affinity") else None
    if named is None:
        return nodes
    return [by_name[name] for name in dict.fromkeys(named) if name in by_name]


def _occupy(view: ReadView, nodes: Sequence[NodeState]) -> list[tuple[Object, NodeState]]:
    """Count what runs. A pod that is terminating still takes its room, one that is done doesn't."""
    bound = []
    for node in nodes:
        for pod in view.on_node(node.name):
            if pods.is_terminal(pod):
                continue
            node.take(asked_by(pod), host_ports(pod), group_of(pod))
            bound.append((pod, node))
    return bound


def _place_freely(
    demand: Demand,
    nodes: Sequence[NodeState],
    every: Sequence[NodeState],
    bound: list[tuple[Object, NodeState]],
    decision: Decision,
) -> None:
    in_zone = _in_zone(demand, nodes)
    heap = []
    for position, node in enumerate(nodes):
        if filters.fixed(demand, node) is None and filters.has_room(demand, node):
            base = scores.fixed(demand, node)
            heap.append((-(base + scores.current(demand, node, in_zone)), position, base))
    heapq.heapify(heap)
    left = iter(demand.pods)
    for pod in left:
        best = _best(heap, demand, nodes, in_zone)
        if best is None:
            message = explain(demand, every, None)
            decision.refused.append((pod, message))
            decision.refused.extend((other, message) for other in left)
            return
        _put(pod, demand, best, in_zone, bound, decision)


def _best(
    heap: list[tuple[float, int, float]], demand: Demand, nodes: Sequence[NodeState], in_zone: Counter[str]
) -> NodeState | None:
    """The best node that has room, which stays in the heap."""
    while heap:
        negative, position, base = heap[0]
        node = nodes[position]
        if not filters.has_room(demand, node):
            heapq.heappop(heap)
            continue
        now = -(base + scores.current(demand, node, in_zone))
        if now <= negative:
            return node
        heapq.heapreplace(heap, (now, position, base))
    return None


def _place_ruled(
    demand: Demand,
    nodes: Sequence[NodeState],
    every: Sequence[NodeState],
    rules: Rules,
    bound: list[tuple[Object, NodeState]],
    decision: Decision,
) -> None:
    in_zone = _in_zone(demand, nodes)
    possible = [(node, scores.fixed(demand, node)) for node in nodes if filters.fixed(demand, node) is None]
    for pod in demand.pods:
        fitting = [
            (base + scores.current(demand, node, in_zone), node)
            for node, base in possible
            if filters.has_room(demand, node) and rules.refuse(node) is None
        ]
        if not fitting:
            decision.refused.append((pod, explain(demand, every, rules)))
            continue
        _, best = max(fitting, key=lambda entry: entry[0])
        _put(pod, demand, best, in_zone, bound, decision)
        rules.placed(best)


def _place_with_claims(
    demand: Demand,
    nodes: Sequence[NodeState],
    every: Sequence[NodeState],
    rules: Rules,
    bound: list[tuple[Object, NodeState]],
    decision: Decision,
    storage: Storage,
) -> None:
    """Pods share their claims, so what is said of one holds for all. While claims are open, a pod takes its room but is
    not bound."""
    in_zone = _in_zone(demand, nodes)
    for pod in demand.pods:
        why = storage.refusal
        if why is None and storage.for_one_pod and storage.in_use([other for other, _ in bound]):
            why = f"{len(every)} {IN_USE}"
        fitting = [
            (scores.fixed(demand, node) + scores.current(demand, node, in_zone), node)
            for node in (nodes if why is None else ())
            if filters.fixed(demand, node) is None
            and filters.has_room(demand, node)
            and rules.refuse(node) is None
            and storage.refuse(node) is None
        ]
        if not fitting:
            message = f"0/{len(every)} nodes are available: {why}." if why else None
            decision.refused.append((pod, message or explain(demand, every, rules, storage)))
            continue
        _, best = max(fitting, key=lambda entry: entry[0])
        _put(pod, demand, best, in_zone, bound, decision, storage)
        rules.placed(best)


def _put(
    pod: Object,
    demand: Demand,
    node: NodeState,
    in_zone: Counter[str],
    bound: list[tuple[Object, NodeState]],
    decision: Decision,
    storage: Storage | None = None,
) -> None:
    node.take(demand.asked, demand.ports, demand.group)
    zone = node.labels.get(scores.ZONE)
    if zone:
        in_zone[zone] += 1
    bound.append((pod, node))
    if storage is not None and storage.open:
        decision.storage += storage.promise(node)
        return
    decision.placed.append((pod, node.name))


def _in_zone(demand: Demand, nodes: Sequence[NodeState]) -> Counter[str]:
    found: Counter[str] = Counter()
    for node in nodes:
        zone = node.labels.get(scores.ZONE)
        if zone:
            found[zone] += node.groups.get(demand.group, 0)
    return found


def explain(
    demand: Demand, nodes: Sequence[NodeState], rules: Rules | None, storage: Storage | None = None
) -> str:
    """`0/3 nodes are available: 2 Insufficient cpu, 1 node(s) had untolerated taint {...}.`"""
    if not nodes:
        return "no nodes available to schedule pods"
    reasons: Counter[str] = Counter()
    for node in nodes:
        fixed = filters.fixed(demand, node)
        found = [fixed] if fixed else filters.room(demand, node)
        if not found and rules is not None:
            found = [why] if (why := rules.refuse(node)) else []
        if not found and storage is not None:
            found = [storage.refuse(node) or ""]
        reasons.update(found)
    told = sorted(f"{count} {reason}" for reason, count in reasons.items() if reason)
    return f"0/{len(nodes)} nodes are available: {', '.join(told)}."
