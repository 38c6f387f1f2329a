"""The index of roles and bindings: which rules a user has, in the whole cluster and in each namespace.

It is made of a view's records, and made anew when one of them has changed since it was last asked: what concerns the
whole cluster at once, and a namespace when somebody asks about it. Roles that did not change are not read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.base.errors import qualified
from app.objects.change import Object, split_key
from app.registry.access.attributes import SERVICE_ACCOUNT, Subject
from app.schemas.types.rbac import GROUP
from app.store.view import View

ROLES = f"roles.{GROUP}"
CLUSTER_ROLES = f"clusterroles.{GROUP}"
BINDINGS = f"rolebindings.{GROUP}"
CLUSTER_BINDINGS = f"clusterrolebindings.{GROUP}"
RESOURCES = (ROLES, CLUSTER_ROLES, BINDINGS, CLUSTER_BINDINGS)

# ("User" or "Group", name)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Grant:
    """What one subject of one binding gets: the rules of a role.

    Attributes:
        binding: the binding and its role, as a decision's reason names them. subject: who gets it.
        missing: what is wrong instead, if there is no such role.
    """

    rules: tuple[Object, ...]
    binding: str
    subject: str
    missing: str = ""

    @property
    def reason(self) -> str:
        return f"RBAC: allowed by {self.binding} to {self.subject}"


Grants = dict[Key, list[Grant]]


class Index:
    """Refresh it, then ask."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._stamp: tuple[object, ...] = ()
        self._cluster: Grants = {}
        self._local: dict[str, Grants] = {}
        self._rules: dict[tuple[str, str], tuple[int, tuple[Object, ...]]] = {}
        # For who asks to keep what follows from the index; another dict whenever that may no longer hold.
        self.derived: dict[Any, Any] = {}

    def refresh(self) -> None:
        """Fold in what has changed."""
        if self._now() == self._stamp:
            return
        with self._view.lock:
            stamp = self._now()
            if stamp != self._stamp:
                self._build()
                self.derived = {}
                self._stamp = stamp

    def _now(self) -> tuple[object, ...]:
        version = self._view.version
        return version(ROLES), version(CLUSTER_ROLES), version(BINDINGS), version(CLUSTER_BINDINGS)

    def grants(self, subject: Subject, namespace: str) -> Iterator[Grant]:
        """All that a user has been granted, in the whole cluster and (unless empty) in a namespace."""
        local = self._within(namespace) if namespace else {}
        for table in (self._cluster, local):
            if not table:
                continue
            yield from table.get(("User", subject.name), ())
            for group in subject.groups:
                yield from table.get(("Group", group), ())

    def rules_of(self, kind: str, namespace: str, name: str) -> tuple[Object, ...] | None:
        """The rules of a Role or ClusterRole; None if there is none."""
        resource, key = (ROLES, f"{namespace}/{name}") if kind == "Role" else (CLUSTER_ROLES, name)
        record = self._view.record(resource, key)
        if record is None:
            return None
        known = self._rules.get((resource, key))
        if known is None or known[0] != record.revision:
            rules = tuple(record.obj.get("rules") or ())
            known = self._rules[resource, key] = (record.revision, rules)
        return known[1]

    def _build(self) -> None:
        cluster: Grants = {}
        for record in self._view.records(CLUSTER_BINDINGS):
            self._add(cluster, record.obj, f'ClusterRoleBinding "{record.key}"', "")
        self._cluster, self._local = cluster, {}
        known = len(self._view.keys(ROLES)) + len(self._view.keys(CLUSTER_ROLES))
        if len(self._rules) > 2 * known:
            self._rules.clear()

    def _within(self, namespace: str) -> Grants:
        """What is granted within a namespace. One that was asked about is kept until something changes."""
        kept = self._local
        known = kept.get(namespace)
        if known is None:
            known = {}
            with self._view.lock:
                for record in self._view.records(BINDINGS, namespace):
                    what = f'RoleBinding "{split_key(record.key)[1]}/{namespace}"'
                    self._add(known, record.obj, what, namespace)
            if known:
                kept[namespace] = known
        return known

    def _add(self, grants: Grants, binding: Object, what: str, namespace: str) -> None:
        ref = binding.get("roleRef") or {}
        kind, name = ref.get("kind", ""), ref.get("name", "")
        rules = self.rules_of(kind, namespace, name)
        missing = f'{qualified(kind.lower(), GROUP)} "{name}" not found' if rules is None else ""
        told = f'{what} of {kind} "{name}"'
        for subject in binding.get("subjects") or ():
            key, shown = _subject(subject, namespace)
            if key is not None:
                grants.setdefault(key, []).append(Grant(rules or (), told, shown, missing))


def _subject(subject: Object, namespace: str) -> tuple[Key | None, str]:
    """Under which key a binding's subject is found, and how a reason shows it."""
    kind, name = subject.get("kind", ""), subject.get("name", "")
    if kind in ("User", "Group"):
        return (kind, name), f'{kind} "{name}"'
    where = subject.get("namespace") or namespace
    if kind == "ServiceAccount" and where:
        return ("User", f"{SERVICE_ACCOUNT}{where}:{name}"), f'{kind} "{name}/{where}"'
    return None, ""


def concerns(resources: Iterable[str]) -> bool:
    """Whether one of these is a role or binding."""
    return any(resource in _ALL for resource in resources)


_ALL = frozenset(RESOURCES)
