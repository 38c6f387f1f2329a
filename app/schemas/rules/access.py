"""Rules for roles and bindings (kubernetes/pkg/apis/rbac/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import dns_subdomain, path_segment
from app.schemas.rules.meta import label_selector
from app.schemas.types.rbac import GROUP


def role(obj: Object, path: str, faults: Faults) -> None:
    """A Role's rules are about what is in its namespace."""
    _rules(obj, faults, namespaced=True)


def cluster_role(obj: Object, path: str, faults: Faults) -> None:
    """A ClusterRole's rules may be about paths too; what it is made up of must be said."""
    _rules(obj, faults, namespaced=False)
    aggregation = obj.get("aggregationRule")
    if aggregation is None:
        return
    selectors = aggregation.get("clusterRoleSelectors") or ()
    where = "aggregationRule.clusterRoleSelectors"
    if not selectors:
        faults.required(where, "at least one clusterRoleSelector required if aggregationRule is non-nil")
    for i, selector in enumerate(selectors):
        label_selector(selector, f"{where}[{i}]", faults)


def _rules(obj: Object, faults: Faults, *, namespaced: bool) -> None:
    for i, rule in enumerate(obj.get("rules") or ()):
        _rule(rule, f"rules[{i}]", faults, namespaced)


def _rule(rule: Object, path: str, faults: Faults, namespaced: bool) -> None:
    if not rule.get("verbs"):
        faults.required(f"{path}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            faults.invalid(
                f"{path}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs"
            )
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            faults.invalid(
                f"{path}.nonResourceURLs",
                urls,
                "rules cannot apply to both regular resources and non-resource URLs",
            )
        return
    if not rule.get("apiGroups"):
        faults.required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        faults.required(f"{path}.resources", "resource rules must supply at least one resource")


def role_binding(obj: Object, path: str, faults: Faults) -> None:
    """It may hand out a Role of its namespace, or a ClusterRole within it."""
    _binding(obj, faults, ("Role", "ClusterRole"), namespaced=True)


def cluster_role_binding(obj: Object, path: str, faults: Faults) -> None:
    """It hands out a ClusterRole, and its service accounts need a namespace."""
    _binding(obj, faults, ("ClusterRole",), namespaced=False)


def _binding(obj: Object, faults: Faults, kinds: tuple[str, ...], *, namespaced: bool) -> None:
    ref = obj.get("roleRef") or {}
    if ref.get("apiGroup", "") != GROUP:
        faults.not_supported("roleRef.apiGroup", ref.get("apiGroup", ""), (GROUP,))
    if ref.get("kind", "") not in kinds:
        faults.not_supported("roleRef.kind", ref.get("kind", ""), kinds)
    name = ref.get("name", "")
    if not name:
        faults.required("roleRef.name")
    else:
        faults.all_invalid("roleRef.name", name, path_segment(name))
    for i, subject in enumerate(obj.get("subjects") or ()):
        _subject(subject, f"subjects[{i}]", faults, namespaced)


def _subject(subject: Object, path: str, faults: Faults, namespaced: bool) -> None:
    kind, name, group = subject.get("kind", ""), subject.get("name", ""), subject.get("apiGroup", "")
    if not name:
        faults.required(f"{path}.name")
    if kind == "ServiceAccount":
        if name:
            faults.all_invalid(f"{path}.name", name, dns_subdomain(name))
        if group:
            faults.not_supported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            faults.required(f"{path}.namespace")
    elif kind in ("User", "Group"):
        if group != GROUP:
            faults.not_supported(f"{path}.apiGroup", group, (GROUP,))
    else:
        faults.not_supported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group"))


def same_role(old: Object, new: Object, faults: Faults) -> None:
    """What a binding hands out stays: those who may change its subjects must not hand out more."""
    if old.get("roleRef") != new.get("roleRef"):
        faults.invalid("roleRef", new.get("roleRef") or {}, "cannot change roleRef")
