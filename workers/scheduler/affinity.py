"""Which nodes a pod asks for by their labels: nodeSelector and node affinity.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from app.objects.change import Object
from app.objects.selectors import Requirement
from workers.scheduler.state import NodeState

_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!", "Gt": "gt", "Lt": "lt"}


def matches(spec: Object, node: NodeState) -> bool:
    """Whether the node is one that the pod must or may run on. Of several terms one must hold, of a
    term all conditions; a term without any holds nowhere."""
    selector = spec.get("nodeSelector")
    if selector and not (selector.items() <= node.labels.items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    return any(_term(term, node) for term in required.get("nodeSelectorTerms") or ())


def preference(spec: Object, node: NodeState) -> float:
    """How much of what the pod prefers the node offers, from 0 to 1."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    total = sum(wish["weight"] for wish in preferred)
    if not total:
        return 0.0
    return float(sum(wish["weight"] for wish in preferred if _term(wish["preference"], node)) / total)


def _term(term: Object, node: NodeState) -> bool:
    expressions = term.get("matchExpressions") or ()
    fields = term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(_requirement(e).matches(node.labels) for e in expressions) and all(
        _requirement(f).matches({"metadata.name": node.name}) for f in fields
    )


def _requirement(expression: Object) -> Requirement:
    return Requirement(
        expression["key"], _OPERATORS[expression["operator"]], tuple(expression.get("values") or ())
    )
