"""Rules for placement: affinity, tolerations, spread (k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import dns_label, dns_subdomain, label_value, qualified_name

NOT_AN_OPERATOR = "not a valid selector operator"
WEIGHT = "must be in the range 1-100"
_NEEDS_VALUES = "must be specified when `operator` is 'In' or 'NotIn'"
_NO_VALUES = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
_ONE_VALUE = "must be specified single value when `operator` is 'Lt' or 'Gt'"
UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")


def node_selector(selector: Object, path: str, faults: Faults) -> None:
    if not selector.get("nodeSelectorTerms"):
        faults.required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")


def node_selector_term(term: Object, path: str, faults: Faults) -> None:
    for i, requirement in enumerate(term.get("matchExpressions") or ()):
        _expression(requirement, f"{path}.matchExpressions[{i}]", faults)
    for i, requirement in enumerate(term.get("matchFields") or ()):
        _field(requirement, f"{path}.matchFields[{i}]", faults)


def _expression(requirement: Object, path: str, faults: Faults) -> None:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            faults.required(f"{path}.values", _NEEDS_VALUES)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            faults.forbidden(f"{path}.values", _NO_VALUES)
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            faults.required(f"{path}.values", _ONE_VALUE)
    else:
        faults.invalid(f"{path}.operator", operator, NOT_AN_OPERATOR)
    key = requirement.get("key") or ""
    faults.all_invalid(f"{path}.key", key, qualified_name(key))
    for i, value in enumerate(values):
        faults.all_invalid(f"{path}.values[{i}]", value, label_value(value))


def _field(requirement: Object, path: str, faults: Faults) -> None:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    if operator not in ("In", "NotIn"):
        faults.invalid(f"{path}.operator", operator, NOT_AN_OPERATOR)
    elif len(values) != 1:
        faults.required(
            f"{path}.values",
            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        )
    if requirement.get("key") != "metadata.name":
        faults.invalid(f"{path}.key", requirement.get("key") or "", "not a valid field selector key")
        return
    for i, value in enumerate(values):
        faults.all_invalid(f"{path}.values[{i}]", value, dns_subdomain(value))


def weighted(term: Object, path: str, faults: Faults) -> None:
    """A preference for nodes or for pods."""
    weight = term.get("weight", 0)
    if not 1 <= weight <= 100:
        faults.invalid(f"{path}.weight", weight, WEIGHT)


def pod_affinity_term(term: Object, path: str, faults: Faults) -> None:
    for name in term.get("namespaces") or ():
        faults.all_invalid(f"{path}.namespace", name, dns_label(name))
    _label_keys(term, path, faults)
    key = term.get("topologyKey") or ""
    if not key:
        faults.required(f"{path}.topologyKey", "can not be empty")
    faults.all_invalid(f"{path}.topologyKey", key, qualified_name(key))


def _label_keys(term: Object, path: str, faults: Faults) -> None:
    for field in ("matchLabelKeys", "mismatchLabelKeys"):
        keys = term.get(field) or ()
        if keys and term.get("labelSelector") is None:
            faults.forbidden(f"{path}.{field}", "must not be specified when labelSelector is not set")
            continue
        for i, key in enumerate(keys):
            faults.all_invalid(f"{path}.{field}[{i}]", key, qualified_name(key))
    other = term.get("mismatchLabelKeys") or ()
    for i, key in enumerate(term.get("matchLabelKeys") or ()):
        if key in other:
            faults.invalid(
                f"{path}.matchLabelKeys[{i}]", key, "exists in both matchLabelKeys and mismatchLabelKeys"
            )


def toleration(given: Object, path: str, faults: Faults) -> None:
    key, operator, value = given.get("key"), given.get("operator") or "", given.get("value") or ""
    if key:
        faults.all_invalid(f"{path}.key", key, qualified_name(key))
    elif operator != "Exists":
        faults.invalid(
            f"{path}.operator",
            operator,
            'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        )
    if given.get("tolerationSeconds") is not None and given.get("effect") != "NoExecute":
        faults.invalid(
            f"{path}.effect",
            given.get("effect") or "",
            "effect must be 'NoExecute' when `tolerationSeconds` is set",
        )
    if operator in ("", "Equal"):
        wrong = label_value(value)
        if wrong:
            faults.invalid(f"{path}.operator", value, ";".join(wrong))
    elif operator == "Exists" and value:
        faults.invalid(f"{path}.operator", value, "value must be empty when `operator` is 'Exists'")


def spread(constraint: Object, path: str, faults: Faults) -> None:
    """One constraint by itself; that no two are alike is looked after in the pod."""
    skew, domains = constraint.get("maxSkew", 0), constraint.get("minDomains")
    if skew <= 0:
        faults.invalid(f"{path}.maxSkew", skew, "must be greater than zero")
    if not constraint.get("topologyKey"):
        faults.required(f"{path}.topologyKey", "can not be empty")
    what = constraint.get("whenUnsatisfiable") or ""
    if what not in UNSATISFIABLE:
        faults.not_supported(f"{path}.whenUnsatisfiable", what, UNSATISFIABLE)
    if domains is not None and domains <= 0:
        faults.invalid(f"{path}.minDomains", domains, "must be greater than zero")
    if domains is not None and what != "DoNotSchedule":
        faults.invalid(
            f"{path}.minDomains",
            domains,
            "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
        )
    keys = constraint.get("matchLabelKeys") or ()
    if not keys:
        return
    selector = constraint.get("labelSelector")
    if selector is None:
        faults.forbidden(f"{path}.matchLabelKeys", "must not be specified when labelSelector is not set")
        return
    used = set(selector.get("matchLabels") or ()) | {
        expression.get("key") for expression in selector.get("matchExpressions") or ()
    }
    for i, key in enumerate(keys):
        faults.all_invalid(f"{path}.matchLabelKeys[{i}]", key, qualified_name(key))
        if key in used:
            faults.invalid(
                f"{path}.matchLabelKeys[{i}]", key, "exists in both matchLabelKeys and labelSelector"
            )
