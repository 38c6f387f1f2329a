"""Whether a CustomResourceDefinition gets the names it asks for, and what is said of it then.

Who holds a name is who has it among its accepted ones (k8s.io/apiextensions-apiserver/pkg/controller/status).
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import conditions
from app.objects.change import Object
from app.objects.conditions import Truth

_PROTECTED = ("k8s.io", "kubernetes.io")
APPROVAL = "api-approved.kubernetes.io"
APPROVAL_URL = "https://github.com/kubernetes/enhancements/pull/1111"


def is_protected(group: str) -> bool:
    """Whether a group belongs to the Kubernetes community."""
    return any(group == name or group.endswith(f".{name}") for name in _PROTECTED)


def accepted(definition: Object, others: Iterable[Object], now: float) -> Object:
    """The definition with the names it gets beside `others` of its group, and its conditions; the same object if
    nothing changes."""
    spec, status = definition["spec"], definition.get("status") or {}
    resources, kinds = _taken(others)
    wanted = with_defaults(spec["names"])
    names = dict(status.get("acceptedNames") or {})
    faults: list[tuple[str, str]] = []
    for field, used, reason in (
        ("plural", resources, "PluralConflict"),
        ("singular", resources, "SingularConflict"),
        ("shortNames", resources, "ShortNamesConflict"),
        ("kind", kinds, "KindConflict"),
        ("listKind", kinds, "ListKindConflict"),
    ):
        value = wanted.get(field)
        asked = value if isinstance(value, list) else [value] if value else []
        clash = [each for each in asked if each in used]
        if clash:
            faults.append((reason, ", ".join(f'"{each}" is already in use' for each in clash)))
        elif value:
            names[field] = value
        else:
            names.pop(field, None)
    if wanted.get("categories"):
        names["categories"] = wanted["categories"]
    else:
        names.pop("categories", None)
    out = definition
    if names != status.get("acceptedNames"):
        out = {**definition, "status": {**status, "acceptedNames": names}}
    return _told(out, faults, now)


def _told(definition: Object, faults: list[tuple[str, str]], now: float) -> Object:
    if faults:
        reason, message = faults[0]
        out = conditions.with_condition(
            definition, "NamesAccepted", "False", now, reason=reason, message=message
        )
        if conditions.is_true(out, "Established"):
            return out  # what is served stays served, by the names that it has
        return conditions.with_condition(
            out, "Established", "False", now, reason="NotAccepted", message="not all names are accepted"
        )
    out = conditions.with_condition(
        definition, "NamesAccepted", "True", now, reason="NoConflicts", message="no conflicts found"
    )
    if not conditions.is_true(out, "Established"):
        out = conditions.with_condition(
            out, "Established", "True", now,
            reason="InitialNamesAccepted", message="the initial names have been accepted",
        )  # fmt: skip
    return _approved(out, now)


def _approved(definition: Object, now: float) -> Object:
    """What is said of a definition in a protected group (KubernetesAPIApprovalPolicyConformant)."""
    kind = "KubernetesAPIApprovalPolicyConformant"
    if not is_protected(definition["spec"]["group"]):
        return definition
    status: Truth
    given = (definition["metadata"].get("annotations") or {}).get(APPROVAL, "")
    if given.startswith("https://"):
        status, reason, message = "True", "ApprovedAnnotation", f"approved in {given}"
    elif given.startswith("unapproved"):
        status, reason, message = "False", "UnapprovedAnnotation", f"not approved: {given}"
    elif given:
        status, reason = "False", "InvalidAnnotation"
        message = f'protected groups must have approval annotation "{APPROVAL}" with a URL or a reason, see {APPROVAL_URL}'
    else:
        status, reason = "False", "MissingAnnotation"
        message = f'protected groups must have approval annotation "{APPROVAL}", see {APPROVAL_URL}'
    return conditions.with_condition(definition, kind, status, now, reason=reason, message=message)


def with_defaults(names: Object) -> Object:
    """The names with those that follow from the kind."""
    kind = names.get("kind") or ""
    return {
        **names,
        "singular": names.get("singular") or kind.lower(),
        "listKind": names.get("listKind") or f"{kind}List",
    }


def _taken(others: Iterable[Object]) -> tuple[set[str], set[str]]:
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        names = (other.get("status") or {}).get("acceptedNames") or {}
        resources |= {names.get("plural", ""), names.get("singular", ""), *(names.get("shortNames") or ())}
        kinds |= {names.get("kind", ""), names.get("listKind", "")}
    return resources - {""}, kinds - {""}
