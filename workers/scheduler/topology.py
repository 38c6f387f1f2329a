"""Rules about which pods may share a node, zone or other topology: required pod affinity and
anti-affinity, and topology spread constraints with DoNotSchedule.

What is preferred rather than required is not weighed: `scores` spreads a controller's pods anyway.
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.objects.change import Object, ReadView
from app.objects.meta import is_deleting, labels
from app.objects.selectors import Selector, of_label_selector
from workers.scheduler import filters
from workers.scheduler.demand import Demand
from workers.scheduler.state import NodeState

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING_ANTI_AFFINITY = "node(s) didn't satisfy existing pods anti-affinity rules"
SPREAD = "node(s) didn't match pod topology spread constraints"
NO_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)"


@dataclass(slots=True)
class Term:
    """Pods in certain namespaces with certain labels, and how many of them each domain (a value of
    the nodes' label `topology`) has."""

    topology: str
    selector: Selector
    namespaces: frozenset[str] | None
    counts: Counter[str] = field(default_factory=Counter)
    max_skew: int = 0
    min_domains: int = 0

    def covers(self, pod: Object) -> bool:
        meta = pod["metadata"]
        within = self.namespaces is None or meta["namespace"] in self.namespaces
        return within and self.selector.matches(labels(pod))

    def add(self, pod: Object, node: NodeState) -> None:
        domain = node.labels.get(self.topology)
        if domain is not None and self.covers(pod):
            self.counts[domain] += 1

    def here(self, node: NodeState) -> int:
        domain = node.labels.get(self.topology)
        return 0 if domain is None else self.counts[domain]


Placed = Iterable[tuple[Object, NodeState]]


class Rules:
    """The rules of one class of pods, and those that pods already placed hold against it."""

    def __init__(self, demand: Demand, placed: Sequence[tuple[Object, NodeState]], view: ReadView) -> None:
        spec, namespace = demand.spec, demand.pod["metadata"]["namespace"]
        self._pod = demand.pod
        self._together = _terms(spec, "podAffinity", namespace, view)
        self._apart = _terms(spec, "podAntiAffinity", namespace, view)
        self._spread = _spread_terms(spec, demand.pod)
        for pod, node in placed:
            for term in (*self._together, *self._apart):
                term.add(pod, node)
            if self._spread and not is_deleting(pod):
                for term in self._spread:
                    term.add(pod, node)
        self._against = _against(demand.pod, placed, view)

    def __bool__(self) -> bool:
        return bool(self._together or self._apart or self._spread or self._against)

    def set_domains(self, demand: Demand, nodes: Sequence[NodeState]) -> None:
        """Spread looks at the domains of nodes the pod could run on, also those with no pod yet."""
        for term in self._spread:
            eligible = {
                n.labels[term.topology]
                for n in nodes
                if term.topology in n.labels and filters.elsewhere(demand, n) is None
            }
            term.counts = Counter({domain: term.counts[domain] for domain in eligible})

    def refuse(self, node: NodeState) -> str | None:
        """Why these rules keep the pod off the node."""
        if any((topology, node.labels.get(topology)) in self._against for topology in _keys(self._against)):
            return EXISTING_ANTI_AFFINITY
        for term in self._apart:
            if term.here(node):
                return ANTI_AFFINITY
        for term in self._together:
            if term.topology not in node.labels:
                return AFFINITY
            # The first of pods that want to be with their like has nobody to join.
            alone = not term.counts and term.covers(self._pod)
            if not term.here(node) and not alone:
                return AFFINITY
        for term in self._spread:
            domain = node.labels.get(term.topology)
            if domain is None:
                return NO_LABEL
            lowest = 0 if len(term.counts) < term.min_domains else min(term.counts.values(), default=0)
            if term.counts[domain] + int(term.covers(self._pod)) - lowest > term.max_skew:
                return SPREAD
        return None

    def placed(self, node: NodeState) -> None:
        """One pod of this class is on `node` now."""
        for term in (*self._together, *self._apart, *self._spread):
            term.add(self._pod, node)
        for term in self._apart:
            domain = node.labels.get(term.topology)
            if domain is not None and term.covers(self._pod):
                self._against.add((term.topology, domain))


def _keys(pairs: set[tuple[str, str]]) -> set[str]:
    return {topology for topology, _ in pairs}


def _terms(spec: Object, which: str, namespace: str, view: ReadView) -> list[Term]:
    affinity = (spec.get("affinity") or {}).get(which) or {}
    return [
        Term(t["topologyKey"], of_label_selector(t.get("labelSelector")), _namespaces(t, namespace, view))
        for t in affinity.get(REQUIRED) or ()
    ]


def _namespaces(term: Object, own: str, view: ReadView) -> frozenset[str] | None:
    """The namespaces a term speaks of; None means all."""
    listed = frozenset(term.get("namespaces") or ())
    selector = term.get("namespaceSelector")
    if selector is None:
        return listed or frozenset({own})
    chosen = of_label_selector(selector)
    if chosen.everything:
        return None
    return listed | {n["metadata"]["name"] for n in view.list("namespaces") if chosen.matches(labels(n))}


def _spread_terms(spec: Object, pod: Object) -> list[Term]:
    terms = []
    for constraint in spec.get("topologySpreadConstraints") or ():
        if constraint.get("whenUnsatisfiable", "DoNotSchedule") != "DoNotSchedule":
            continue
        selector = dict(constraint.get("labelSelector") or {})
        for key in constraint.get("matchLabelKeys") or ():
            if key in labels(pod):
                selector["matchLabels"] = {**(selector.get("matchLabels") or {}), key: labels(pod)[key]}
        terms.append(
            Term(
                constraint["topologyKey"],
                of_label_selector(selector),
                frozenset({pod["metadata"]["namespace"]}),
                max_skew=constraint["maxSkew"],
                min_domains=constraint.get("minDomains") or 1,
            )
        )
    return terms


def _against(pod: Object, placed: Placed, view: ReadView) -> set[tuple[str, str]]:
    """The domains from which pods already there keep this one by their own anti-affinity."""
    domains: set[tuple[str, str]] = set()
    for other, node in placed:
        affinity = other["spec"].get("affinity")
        if not affinity or not affinity.get("podAntiAffinity"):
            continue
        for term in _terms(other["spec"], "podAntiAffinity", other["metadata"]["namespace"], view):
            domain = node.labels.get(term.topology)
            if domain is not None and term.covers(pod):
                domains.add((term.topology, domain))
    return domains
