"""Default roles and bindings: made where they are missing, and completed where something of them is.

As kube-apiserver does at every start: what somebody added stays, what somebody took away comes back, unless the
object says `rbac.authorization.kubernetes.io/autoupdate: "false"`.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.objects import change, meta, rbac, rbac_aggregation
from app.objects.change import Object, Write, key_of
from app.registry.access import default_roles as defaults
from app.registry.access.index import BINDINGS, CLUSTER_BINDINGS, CLUSTER_ROLES, ROLES
from app.registry.request import Request
from app.schemas.types.rbac import GROUP

if TYPE_CHECKING:
    from app.registry.registry import Registry

AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}


def ensure(registry: Registry, request: Request) -> None:
    """Make the defaults be there: two round trips, one if they are.

    May be done by every API process at every start, at the same time.
    """
    registry.access.catch_up()
    writes = list(_writes(registry))
    if writes:
        # One that is rejected was made by another process just now.
        registry.commit(request, writes)
        registry.access.catch_up()


def objects() -> list[tuple[str, Object]]:
    """`(resource, object)` of all defaults; those that are aggregated with the rules that the defaults give them."""
    roles = {
        name: _object("ClusterRole", name, defaults.aggregate_labels(name), rules=rules)
        for name, rules in defaults.CLUSTER_ROLES.items()
    }
    # Each in turn: `edit` counts for `admin`, and `view` for `edit`.
    for name in reversed(defaults.AGGREGATES):
        rule = defaults.aggregation_rule(name)
        made = _object("ClusterRole", name, defaults.aggregate_labels(name), rules=[], aggregationRule=rule)
        roles[name] = rbac_aggregation.with_rules(made, rbac_aggregation.aggregated(made, roles.values()))
    found = [(CLUSTER_ROLES, role) for role in roles.values()]
    found += [
        (ROLES, _object("Role", name, {}, namespace, rules=rules))
        for (namespace, name), rules in defaults.ROLES.items()
    ]
    for name, (role, who) in defaults.CLUSTER_BINDINGS.items():
        found.append((CLUSTER_BINDINGS, _binding("ClusterRoleBinding", name, "", "ClusterRole", role, who)))
    for (namespace, name), who in defaults.BINDINGS.items():
        found.append((BINDINGS, _binding("RoleBinding", name, namespace, "Role", name, who)))
    return found


def completed(old: Object, wanted: Object) -> Object:
    """What is there with what it lacks of a default; itself if it lacks nothing, or wants to be left alone."""
    annotations = old["metadata"].get("annotations") or {}
    if annotations.get(AUTOUPDATE) == "false":
        return old
    new = dict(old)
    for part in ("labels", "annotations"):
        before = old["metadata"].get(part) or {}
        together = {**wanted["metadata"].get(part, {}), **before}
        if together != before:
            new["metadata"] = {**new["metadata"], part: together}
    if wanted.get("aggregationRule"):
        if old.get("aggregationRule") != wanted["aggregationRule"]:
            new["aggregationRule"] = wanted["aggregationRule"]
    elif "rules" in wanted:
        missing = rbac.compacted(rbac.not_covered(old.get("rules") or (), wanted["rules"]))
        if missing:
            new["rules"] = [*(old.get("rules") or ()), *missing]
    subjects = old.get("subjects") or []
    added = [subject for subject in wanted.get("subjects") or () if subject not in subjects]
    if added:
        new["subjects"] = [*subjects, *added]
    return old if new == old else new


def _writes(registry: Registry) -> Iterator[Write]:
    view, now = registry.view, registry.clock.now()
    for resource, wanted in objects():
        old = view.get(resource, key_of(wanted))
        if old is None:
            new = meta.complete(wanted, now, registry.ids)
            yield change.create(resource, new, within=wanted["metadata"].get("namespace", ""))
        else:
            new = completed(old, wanted)
            if new is not old:
                yield change.update(resource, new)


def _object(kind: str, name: str, labels: dict[str, str], namespace: str = "", **parts: object) -> Object:
    metadata: Object = {"name": name, "labels": {**_LABELS, **labels}, "annotations": {AUTOUPDATE: "true"}}
    if namespace:
        metadata["namespace"] = namespace
    given = {part: value for part, value in parts.items() if value is not None}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, **given}


def _binding(kind: str, name: str, namespace: str, role_kind: str, role: str, who: tuple[str, ...]) -> Object:
    made = _object(kind, name, {}, namespace, roleRef={"apiGroup": GROUP, "kind": role_kind, "name": role})
    subjects = [_subject(text) for text in who]
    return {**made, "subjects": subjects} if subjects else made


def _subject(text: str) -> Object:
    kind, _, name = text.partition(" ")
    if kind == "ServiceAccount":
        namespace, _, account = name.partition("/")
        return {"kind": kind, "name": account, "namespace": namespace}
    return {"kind": kind, "apiGroup": GROUP, "name": name}
