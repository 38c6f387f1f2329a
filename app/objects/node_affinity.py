"""Which nodes a pod asks for: nodeSelector and node affinity.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from collections.abc import Mapping

from app.objects.change import Object
from app.objects.selectors import Requirement

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!", "Gt": "gt", "Lt": "lt"}
_NAME = "metadata.name"


def matches(spec: Object, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a node of that name and those labels is one that the pod must or may run on. Of several terms one
    must hold, of a term all conditions; a term without any holds nowhere."""
    selector = spec.get("nodeSelector")
    if selector and not (selector.items() <= labels.items()):
        return False
    required = _required(spec)
    if not required:
        return True
    return any(term_matches(term, name, labels) for term in required.get("nodeSelectorTerms") or ())


def term_matches(term: Object, name: str, labels: Mapping[str, str]) -> bool:
    """Whether all conditions of a term hold, and there is one."""
    expressions = term.get("matchExpressions") or ()
    fields = term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(_requirement(e).matches(labels) for e in expressions) and all(
        _requirement(f).matches({_NAME: name}) for f in fields
    )


def only(spec: Object) -> tuple[str, ...] | None:
    """The names of the only nodes that the pod's required affinity may match, if it says so by `matchFields`, as that
    of a DaemonSet's pods does; None if it doesn't."""
    names: list[str] = []
    for term in (_required(spec) or {}).get("nodeSelectorTerms") or ():
        named = [f for f in term.get("matchFields") or () if f["key"] == _NAME and f["operator"] == "In"]
        if not named:
            return None
        names += named[0].get("values") or ()
    return tuple(names) or None


def to_node(affinity: Object | None, name: str) -> Object:
    """The affinity with the one node in place of whatever it requires of nodes; what it prefers stays."""
    affinity = affinity or {}
    term = {"matchFields": [{"key": _NAME, "operator": "In", "values": [name]}]}
    nodes = {**(affinity.get("nodeAffinity") or {}), REQUIRED: {"nodeSelectorTerms": [term]}}
    return {**affinity, "nodeAffinity": nodes}


def _required(spec: Object) -> Object | None:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required: Object | None = affinity.get(REQUIRED)
    return required


def _requirement(expression: Object) -> Requirement:
    return Requirement(
        expression["key"], _OPERATORS[expression["operator"]], tuple(expression.get("values") or ())
    )
