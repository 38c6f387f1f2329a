"""The guard of writes: what may not be written by this user, though the verb is allowed. It is asked just before a
commit, when the object is as it will be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.objects.change import Object
from app.registry.access import certificates, escalation, node_limits
from app.registry.access.index import BINDINGS, CLUSTER_BINDINGS, CLUSTER_ROLES, ROLES
from app.registry.request import Request
from app.schemas.kinds import Kind

if TYPE_CHECKING:
    from app.registry.registry import Registry

Rule = Callable[["Registry", Request, Kind, Object | None, Object | None], None]
_RULES: dict[str, Rule] = {
    ROLES: escalation.role,
    CLUSTER_ROLES: escalation.role,
    BINDINGS: escalation.binding,
    CLUSTER_BINDINGS: escalation.binding,
    certificates.REQUESTS: certificates.check,
}


def check(registry: Registry, request: Request, kind: Kind, old: Object | None, new: Object | None) -> None:
    """May this user make `new` (None: nothing) of `old` (None: nothing)? Raises Forbidden."""
    rule = _RULES.get(kind.resource)
    if rule is not None:
        rule(registry, request, kind, old, new)
    if node_limits.concerns(request.groups):
        node_limits.check(registry, request, kind, old, new)
