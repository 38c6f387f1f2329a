"""RBAC: what roles and bindings allow. Decisions are kept until a role or binding changes.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.objects import rbac
from app.objects.change import Object
from app.registry.access.attributes import Asked, AskedPath, Decision, Subject
from app.registry.access.index import Index
from app.store.view import View

# Decisions kept at most; beyond that all are forgotten.
KEPT = 20_000


@dataclass(slots=True)
class _Verdict:
    """What is known of one verb of one user on one resource: why it is allowed for all objects (empty: it isn't),
    or for which names, and what was missing."""

    every: str = ""
    names: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def decision(self, name: str) -> Decision:
        reason = self.every or (self.names.get(name, "") if name else "")
        if reason:
            return Decision(True, reason)
        return Decision(False, _problems(self.missing))


class Rbac:
    """Decides by the roles and bindings of a view."""

    def __init__(self, view: View) -> None:
        self.index = Index(view)

    def decide(self, subject: Subject, asked: Asked) -> Decision:
        """Whether a request for a resource is allowed."""
        key = (
            subject.name, subject.groups, asked.verb, asked.group, asked.resource, asked.subresource, asked.namespace,
        )  # fmt: skip
        return self._verdict(key, subject, asked.namespace, asked).decision(asked.name)

    def decide_path(self, subject: Subject, asked: AskedPath) -> Decision:
        """Whether a request for another path is allowed."""
        key = (subject.name, subject.groups, asked.verb, asked.path)
        return self._verdict(key, subject, "", asked).decision("")

    def rules_of(self, subject: Subject, namespace: str) -> tuple[list[Object], list[str]]:
        """All rules a user has in a namespace and in the cluster, and what was missing."""
        self.index.refresh()
        rules: list[Object] = []
        missing: list[str] = []
        for grant in self.index.grants(subject, namespace):
            rules += grant.rules
            if grant.missing and grant.missing not in missing:
                missing.append(grant.missing)
        return rules, missing

    def _verdict(
        self, key: tuple[object, ...], subject: Subject, namespace: str, asked: Asked | AskedPath
    ) -> _Verdict:
        self.index.refresh()
        known = self.index.derived
        verdict: _Verdict | None = known.get(key)
        if verdict is None:
            verdict = self._reached(subject, namespace, asked)
            if len(known) >= KEPT:
                known.clear()
            known[key] = verdict
        return verdict

    def _reached(self, subject: Subject, namespace: str, asked: Asked | AskedPath) -> _Verdict:
        verdict = _Verdict()
        for grant in self.index.grants(subject, namespace):
            if grant.missing and grant.missing not in verdict.missing:
                verdict.missing.append(grant.missing)
            for rule in grant.rules:
                if not _allows(rule, asked):
                    continue
                names = rule.get("resourceNames") if isinstance(asked, Asked) else None
                if not names:
                    verdict.every = grant.reason
                    return verdict
                for name in names:
                    verdict.names.setdefault(name, grant.reason)
        return verdict


def _allows(rule: Object, asked: Asked | AskedPath) -> bool:
    if isinstance(asked, AskedPath):
        return rbac.allows_path(rule, asked.verb, asked.path)
    return rbac.allows_resource(rule, asked.verb, asked.group, asked.resource, asked.subresource)


def _problems(missing: list[str]) -> str:
    if not missing:
        return ""
    return f"RBAC: {missing[0] if len(missing) == 1 else '[' + ', '.join(missing) + ']'}"
