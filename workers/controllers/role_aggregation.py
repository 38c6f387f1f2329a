"""Aggregated ClusterRoles: their rules are kept those of the ClusterRoles that their selectors choose.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import rbac_aggregation
from app.objects.change import Change, Interest, Operation, ReadView, update
from app.objects.meta import is_deleting
from app.schemas.types.rbac import GROUP
from workers.reconcile.plan import NOTHING, Plan, Role

RESOURCE = f"clusterroles.{GROUP}"


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Give the role the rules of those that it is made up of."""
    role = view.get(RESOURCE, key)
    if role is None or is_deleting(role) or not rbac_aggregation.selectors(role):
        return NOTHING
    new = rbac_aggregation.with_rules(role, rbac_aggregation.aggregated(role, view.list(RESOURCE)))
    if new is role:
        return NOTHING
    return Plan((update(RESOURCE, new),), reason="the rules of the roles it is made up of")


def _aggregates(view: ReadView) -> list[str]:
    return [str(role["metadata"]["name"]) for role in view.list(RESOURCE) if rbac_aggregation.selectors(role)]


def _concerned(change: Change, view: ReadView) -> Iterable[str]:
    """Any change of a role may be one for every aggregate; there are few of them."""
    if change.operation is Operation.MODIFIED and change.old is not None:
        parts = ("rules", "aggregationRule")
        same_labels = change.old["metadata"].get("labels") == change.new["metadata"].get("labels")
        if same_labels and all(change.old.get(part) == change.new.get(part) for part in parts):
            return ()
    return _aggregates(view)


ROLE = Role("role-aggregation", plan, (Interest(RESOURCE, _concerned),), _aggregates)
