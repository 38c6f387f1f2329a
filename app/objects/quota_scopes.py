"""Scopes: which pods a ResourceQuota is about.

https://kubernetes.io/docs/concepts/policy/resource-quotas/#quota-scopes
"""

from __future__ import annotations

from app.objects.change import Object
from app.objects.qos import qos_class


def matches(quota: Object, resource: str, obj: Object) -> bool:
    """Whether the quota is about this object. One with scopes is about pods only."""
    spec = quota.get("spec") or {}
    scopes = spec.get("scopes") or ()
    expressions = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    if not scopes and not expressions:
        return True
    if resource != "pods":
        return False
    return all(_holds({"scopeName": s, "operator": "Exists"}, obj) for s in scopes) and all(
        _holds(expression, obj) for expression in expressions
    )


def _holds(expression: Object, pod: Object) -> bool:
    spec = pod.get("spec") or {}
    scope, operator = expression.get("scopeName"), expression.get("operator")
    if scope == "PriorityClass":
        return _named(spec.get("priorityClassName") or "", str(operator), expression.get("values") or ())
    facts = {
        "Terminating": spec.get("activeDeadlineSeconds") is not None,
        "NotTerminating": spec.get("activeDeadlineSeconds") is None,
        "BestEffort": _best_effort(spec),
        "NotBestEffort": not _best_effort(spec),
        "CrossNamespacePodAffinity": _crosses(spec.get("affinity") or {}),
    }
    found = facts.get(str(scope), False)
    return not found if operator == "DoesNotExist" else found


def _named(name: str, operator: str, values: object) -> bool:
    chosen = list(values) if isinstance(values, list | tuple) else []
    if operator == "In":
        return name in chosen
    if operator == "NotIn":
        return name not in chosen
    return bool(name) == (operator == "Exists")


def _best_effort(spec: Object) -> bool:
    return qos_class(spec) == "BestEffort"


def _crosses(affinity: Object) -> bool:
    """Whether some pod (anti-)affinity looks into other namespaces."""
    for side in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(side) or {}
        required = terms.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        preferred = terms.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        for term in [*required, *(each.get("podAffinityTerm") or {} for each in preferred)]:
            if term.get("namespaces") or term.get("namespaceSelector") is not None:
                return True
    return False
