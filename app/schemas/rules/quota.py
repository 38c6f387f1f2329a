"""Rules for LimitRanges and ResourceQuotas (k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.quantity import nanos
from app.schemas.faults import Faults
from app.schemas.formats import qualified_name

LIMIT_TYPES = ("Container", "PersistentVolumeClaim", "Pod")
CONTAINER_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
COMPUTE = CONTAINER_RESOURCES | {
    f"{kind}.{name}" for kind in ("limits", "requests") for name in CONTAINER_RESOURCES
}
COUNTED = frozenset(
    {
        "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
        "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
    }
)  # fmt: skip
QUOTA_RESOURCES = COMPUTE | COUNTED | {"requests.storage", "limits.storage", "storage"}
SCOPES = (
    "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass",
    "CrossNamespacePodAffinity", "VolumeAttributesClass",
)  # fmt: skip
ONLY_EXISTS = SCOPES[:4] + SCOPES[5:6]
CONFLICTING = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
OF_CLAIMS = frozenset({"persistentvolumeclaims", "requests.storage"})


def limit_range(given: Object, path: str, faults: Faults) -> None:
    seen: set[str] = set()
    for i, item in enumerate((given.get("spec") or {}).get("limits") or ()):
        where = f"spec.limits[{i}]"
        kind = item.get("type", "")
        wrong = qualified_name(kind)
        faults.all_invalid(f"{where}.type", kind, wrong)
        if not wrong and "/" not in kind and kind not in LIMIT_TYPES:
            faults.invalid(f"{where}.type", kind, "must be a standard limit type or fully qualified")
        if kind in seen:
            faults.duplicate(f"{where}.type", kind)
        seen.add(kind)
        _item(item, kind, where, faults)


def _item(item: Object, kind: str, path: str, faults: Faults) -> None:
    parts = {
        name: item.get(name) or {}
        for name in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
    }
    for part, amounts in parts.items():
        if part.startswith("default") and kind == "Pod":
            if amounts:
                faults.forbidden(f"{path}.{part}", "may not be specified when `type` is 'Pod'")
            continue
        for name in amounts:
            _limited_name(kind, name, f"{path}.{part}[{name}]", faults)
    if kind == "PersistentVolumeClaim" and "storage" not in parts["min"] and "storage" not in parts["max"]:
        faults.required(
            f"{path}.limits", "either minimum or maximum storage value is required, but neither was provided"
        )
    for name in dict.fromkeys(name for amounts in parts.values() for name in amounts):
        _order({part: amounts.get(name) for part, amounts in parts.items()}, name, path, faults)


def _limited_name(kind: str, name: str, path: str, faults: Faults) -> None:
    wrong = qualified_name(name)
    faults.all_invalid(path, name, wrong)
    if wrong or "/" in name or name.startswith("hugepages-"):
        return
    if kind in ("Pod", "Container") and name not in CONTAINER_RESOURCES:
        faults.invalid(path, name, "must be a standard resource for containers")
    elif name not in CONTAINER_RESOURCES | {"storage"}:
        faults.invalid(path, name, "must be a standard resource type or fully qualified")


def _order(of: dict[str, str | None], name: str, path: str, faults: Faults) -> None:
    """Minimum, default request, default limit and maximum come in this order."""

    def above(field: str, low: str, high: str, words: str, shown: str) -> None:
        first, second = of[low], of[high]
        if first is not None and second is not None and nanos(first) > nanos(second):
            faults.invalid(f"{path}.{field}[{name}]", of[shown], words.format(first, second))

    request, limit = "defaultRequest", "default"
    above("min", "min", "max", "min value {} is greater than max value {}", "min")
    above(request, "min", request, "min value {} is greater than default request value {}", request)
    above(request, request, "max", "default request value {} is greater than max value {}", request)
    above(request, request, limit, "default request value {} is greater than default limit value {}", request)
    above(limit, "min", limit, "min value {} is greater than default value {}", "min")
    above(limit, limit, "max", "default value {} is greater than max value {}", "max")
    ratio = of["maxLimitRequestRatio"]
    if ratio is None:
        return
    where = f"{path}.maxLimitRequestRatio[{name}]"
    if nanos(ratio) < nanos("1"):
        faults.invalid(where, ratio, f"ratio {ratio} is less than 1")
    low, high = of["min"], of["max"]
    if low is not None and high is not None and nanos(low):
        most = nanos(high) / nanos(low)
        if nanos(ratio) / nanos("1") > most:
            faults.invalid(where, ratio, f"ratio {ratio} is greater than max/min = {most:f}")


def resource_quota_spec(spec: Object, path: str, faults: Faults) -> None:
    for name, amount in (spec.get("hard") or {}).items():
        where = f"{path}.hard[{name}]"
        wrong = qualified_name(name)
        faults.all_invalid(where, name, wrong)
        known = name in QUOTA_RESOURCES or "/" in name or name.split(".")[-1].startswith("hugepages-")
        if not wrong and not known:
            faults.invalid(where, name, "must be a standard resource for quota")
        if nanos(amount) < 0:
            faults.invalid(where, amount, "must be greater than or equal to 0")
        elif (name in COUNTED or name.startswith("count/")) and nanos(amount) % nanos("1"):
            faults.invalid(where, amount, "must be an integer")
    if spec.get("scopes"):
        _scopes(spec, f"{path}.scopes", faults)
    for i, requirement in enumerate((spec.get("scopeSelector") or {}).get("matchExpressions") or ()):
        _requirement(requirement, f"{path}.scopeSelector.matchExpressions[{i}]", faults)


def _scopes(spec: Object, path: str, faults: Faults) -> None:
    scopes = spec["scopes"]
    for scope in scopes:
        if scope not in SCOPES:
            faults.invalid(path, scopes, "unsupported scope")
        elif any(not _countable(scope, name) for name in spec.get("hard") or ()):
            faults.invalid(path, scopes, "unsupported scope applied to resource")
    if any(pair <= set(scopes) for pair in CONFLICTING):
        faults.invalid(path, scopes, "conflicting scopes")


def _countable(scope: str, name: str) -> bool:
    """Whether a quota of this scope can count that resource."""
    if scope == "BestEffort":
        return name == "pods"
    if scope == "VolumeAttributesClass":
        return name in OF_CLAIMS
    return name in COMPUTE or name == "pods" or "hugepages-" in name


def _requirement(requirement: Object, path: str, faults: Faults) -> None:
    scope, operator = requirement.get("scopeName", ""), requirement.get("operator", "")
    values = requirement.get("values") or []
    if scope not in SCOPES:
        faults.invalid(f"{path}.scopeName", scope, "unsupported scope")
    if scope in ONLY_EXISTS and operator != "Exists":
        faults.invalid(
            f"{path}.operator",
            operator,
            "must be 'Exist' only operator when scope is any of ResourceQuotaScopeTerminating, "
            "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
            "ResourceQuotaScopeCrossNamespacePodAffinity",
        )
    if operator in ("In", "NotIn"):
        if not values:
            faults.required(
                f"{path}.values",
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
            )
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            faults.invalid(
                f"{path}.values",
                values,
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
            )
    else:
        faults.invalid(f"{path}.operator", operator, "not a valid selector operator")
