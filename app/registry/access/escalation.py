"""Nobody hands out more than they have: who writes a role must hold all that it allows, or may `escalate`; who
binds one likewise, or may `bind` it.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.base.errors import Forbidden, not_found, qualified
from app.objects import rbac
from app.objects.change import Object
from app.registry.access.attributes import MASTERS, Asked, Subject
from app.registry.request import Request
from app.schemas.kinds import Kind
from app.schemas.types.rbac import GROUP

if TYPE_CHECKING:
    from app.registry.registry import Registry

# What who sets an aggregation rule must hold: the rules that will come may be any.
_EVERYTHING: list[Object] = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]


def role(registry: Registry, request: Request, kind: Kind, old: Object | None, new: Object | None) -> None:
    """May this role be written? Raises Forbidden."""
    if new is None or MASTERS in request.groups:
        return
    aggregated = new.get("aggregationRule")
    if old is not None and old.get("rules") == new.get("rules") and old.get("aggregationRule") == aggregated:
        return
    if _may(registry, request, "escalate", kind.plural, new):
        return
    if aggregated and (old is None or old.get("aggregationRule") != aggregated):
        _confirm(registry, request, kind, new, _EVERYTHING)
    if old is None or old.get("rules") != new.get("rules"):
        _confirm(registry, request, kind, new, new.get("rules") or [])


def binding(registry: Registry, request: Request, kind: Kind, old: Object | None, new: Object | None) -> None:
    """May this role be handed out?

    Raises:
        Forbidden: not by this user. NotFound: there is no such role, so that nobody can say what it allows.
    """
    if new is None or MASTERS in request.groups:
        return
    if old is not None and all(old.get(part) == new.get(part) for part in ("subjects", "roleRef")):
        return
    ref = new.get("roleRef") or {}
    plural = "clusterroles" if ref.get("kind") == "ClusterRole" else "roles"
    namespace = new["metadata"].get("namespace") or ""
    asked = Asked("bind", GROUP, plural, namespace=namespace, name=ref.get("name") or "")
    subject = Subject(request.user, request.groups, request.uid)
    if registry.access.decide(subject, asked).allowed:
        return
    registry.access.catch_up()
    rules = registry.access.rbac.index.rules_of(ref.get("kind") or "", namespace, ref.get("name") or "")
    if rules is None:
        raise not_found(GROUP, plural, ref.get("name") or "")
    _confirm(registry, request, kind, new, list(rules))


def _may(registry: Registry, request: Request, verb: str, plural: str, obj: Object) -> bool:
    meta = obj["metadata"]
    asked = Asked(verb, GROUP, plural, namespace=meta.get("namespace") or "", name=meta.get("name") or "")
    return registry.access.decide(Subject(request.user, request.groups, request.uid), asked).allowed


def _confirm(registry: Registry, request: Request, kind: Kind, obj: Object, rules: list[Object]) -> None:
    """Raises Forbidden unless the user holds all of `rules` where the object is."""
    meta = obj["metadata"]
    subject = Subject(request.user, request.groups, request.uid)
    held, problems = registry.access.rules_of(subject, meta.get("namespace") or "")
    missing = rbac.not_covered(held, rules)
    if not missing:
        return
    told = "\n".join(sorted({rbac.shown(rule) for rule in rbac.compacted(missing)}))
    trouble = f"; resolution errors: {rbac.quoted(problems)}" if problems else ""
    name = meta.get("name") or ""
    raise Forbidden(
        f'{qualified(kind.plural, kind.group)} "{name}" is forbidden: user "{request.user}" '
        f"(groups={rbac.quoted(request.groups)}) is attempting to grant RBAC permissions not currently held:\n"
        f"{told}{trouble}",
        group=kind.group,
        resource=kind.plural,
        name=name,
    )
