"""Aggregated ClusterRoles: their rules are those of the ClusterRoles that their selectors choose.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Object
from app.objects.selectors import of_label_selector


def selectors(role: Object) -> list[Object]:
    """The label selectors of the roles that make it up; none for a role with rules of its own."""
    return list((role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ())


def aggregated(role: Object, roles: Iterable[Object]) -> list[Object]:
    """The rules that an aggregated role has while there are these `roles`, in the order of their names; each once."""
    chosen = [of_label_selector(selector) for selector in selectors(role)]
    own = role["metadata"]["name"]
    rules: list[Object] = []
    for other in sorted(roles, key=lambda each: str(each["metadata"]["name"])):
        labels = other["metadata"].get("labels") or {}
        if other["metadata"]["name"] != own and any(selector.matches(labels) for selector in chosen):
            rules += [rule for rule in other.get("rules") or () if rule not in rules]
    return rules


def with_rules(role: Object, rules: list[Object]) -> Object:
    """The role with these rules; itself if it has them."""
    return role if (role.get("rules") or []) == rules else {**role, "rules": rules}
