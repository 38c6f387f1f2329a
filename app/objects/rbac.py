"""Rules of roles: what they allow, and whether some allow all that others do.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/. A rule is a `PolicyRule` as it lies in a role.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import orjson

from app.objects.change import Object

ALL = "*"
FIELDS = ("apiGroups", "resources", "nonResourceURLs", "resourceNames", "verbs")
# As Go names them where a message shows a rule.
_SHOWN = ("APIGroups", "Resources", "NonResourceURLs", "ResourceNames", "Verbs")


def allows_resource(rule: Object, verb: str, group: str, resource: str, subresource: str) -> bool:
    """Whether the rule is about this verb and resource; its `resourceNames` may still narrow it down."""
    return (
        _has(rule.get("verbs"), verb)
        and _has(rule.get("apiGroups"), group)
        and _matches_resource(rule.get("resources") or (), resource, subresource)
    )


def allows_path(rule: Object, verb: str, path: str) -> bool:
    """Whether the rule allows a verb on a path that is no resource."""
    return _has(rule.get("verbs"), verb) and any(
        covers_path(known, path) for known in rule.get("nonResourceURLs") or ()
    )


def covers_path(known: str, path: str) -> bool:
    """Whether a path of a rule covers another; a `*` at its end stands for all that follows."""
    return known in (ALL, path) or (known.endswith(ALL) and path.startswith(known.rstrip(ALL)))


def _has(known: Sequence[str] | None, asked: str) -> bool:
    return bool(known) and (ALL in known or asked in known)  # type: ignore[operator]


def _matches_resource(known: Sequence[str], resource: str, subresource: str) -> bool:
    if ALL in known:
        return True
    if not subresource:
        return resource in known
    return f"{resource}/{subresource}" in known or f"{ALL}/{subresource}" in known


# -- whether rules are covered by others (escalation) --------------------------------------------------


def not_covered(owned: Iterable[Object], asked: Iterable[Object]) -> list[Object]:
    """The parts of the rules `asked` that no rule of `owned` covers, each about one verb on one thing."""
    held = list(owned)
    return [
        part
        for rule in asked
        for part in broken_down(rule)
        if not any(_covers(owner, part) for owner in held)
    ]


def broken_down(rule: Object) -> list[Object]:
    """The rule as rules of one verb, one group, one resource or path, and at most one name each."""
    verbs = rule.get("verbs") or ()
    parts: list[Object] = [
        {"apiGroups": [group], "resources": [resource], "verbs": [verb], **named}
        for group, resource, verb, named in product(
            rule.get("apiGroups") or (),
            rule.get("resources") or (),
            verbs,
            [{"resourceNames": [name]} for name in rule.get("resourceNames") or ()] or [{}],
        )
    ]
    parts += [
        {"nonResourceURLs": [path], "verbs": [verb]}
        for path, verb in product(rule.get("nonResourceURLs") or (), verbs)
    ]
    return parts


def _covers(owner: Object, part: Object) -> bool:
    """Whether a rule allows all that a part does."""
    if not _has(owner.get("verbs"), part["verbs"][0]):
        return False
    if "nonResourceURLs" in part:
        path = part["nonResourceURLs"][0]
        return any(covers_path(known, path) for known in owner.get("nonResourceURLs") or ())
    resource, _, subresource = part["resources"][0].partition("/")
    names = owner.get("resourceNames")
    return (
        _has(owner.get("apiGroups"), part["apiGroups"][0])
        and _matches_resource(owner.get("resources") or (), resource, subresource)
        and (not names or (bool(part.get("resourceNames")) and part["resourceNames"][0] in names))
    )


def compacted(parts: Iterable[Object]) -> list[Object]:
    """Parts that differ in their verb only, together again."""
    found: dict[tuple[object, ...], Object] = {}
    for part in parts:
        about = tuple(tuple(part.get(field) or ()) for field in FIELDS[:-1])
        known = found.setdefault(about, {**part, "verbs": []})
        known["verbs"] += [verb for verb in part["verbs"] if verb not in known["verbs"]]
    return list(found.values())


def shown(rule: Object) -> str:
    """A rule as messages show it: `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`."""
    parts = [
        f"{name}:{quoted(rule[field])}" for name, field in zip(_SHOWN, FIELDS, strict=True) if rule.get(field)
    ]
    return "{" + ", ".join(parts) + "}"


def quoted(values: Iterable[str]) -> str:
    """Texts as Go's `%q` shows a list of them: `["a" "b"]`."""
    return "[" + " ".join(orjson.dumps(value).decode() for value in values) + "]"
