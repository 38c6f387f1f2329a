"""Rules for a job's failure and success policies (k8s.io/kubernetes/pkg/apis/batch/validation)."""

from __future__ import annotations

from itertools import pairwise

from app.objects import indexes
from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import qualified_name

MOST_RULES = 20
MOST_PATTERNS = 20
MOST_EXIT_CODES = 255
MOST_SUCCESS_RULES = 20
LONGEST_INDEXES = 64 * 1024
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_TRUTHS = ("False", "True", "Unknown")


def _named(values: tuple[str, ...]) -> str:
    """As Go prints a list of texts."""
    return "valid values: [" + " ".join(f'"{value}"' for value in values) + "]"


def pod_failure_policy(spec: Object, path: str, faults: Faults) -> None:
    rules = spec["podFailurePolicy"].get("rules") or ()
    if len(rules) > MOST_RULES:
        faults.too_many(f"{path}.rules", len(rules), MOST_RULES)
    pod = (spec.get("template") or {}).get("spec") or {}
    names = {c.get("name") for part in ("containers", "initContainers") for c in pod.get(part) or ()}
    for i, rule in enumerate(rules):
        _failure_rule(spec, rule, f"{path}.rules[{i}]", names, faults)


def _failure_rule(spec: Object, rule: Object, path: str, names: set[str | None], faults: Faults) -> None:
    action = rule.get("action") or ""
    if not action:
        faults.required(f"{path}.action", _named(_ACTIONS))
    elif action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            faults.invalid(f"{path}.action", action, "requires the backoffLimitPerIndex to be set")
    elif action not in _ACTIONS:
        faults.not_supported(f"{path}.action", action, _ACTIONS)
    codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
    if codes is not None:
        _exit_codes(codes, f"{path}.onExitCodes", names, faults)
    if len(patterns) > MOST_PATTERNS:
        faults.too_many(f"{path}.onPodConditions", len(patterns), MOST_PATTERNS)
    for i, pattern in enumerate(patterns):
        _pattern(pattern, f"{path}.onPodConditions[{i}]", faults)
    if codes is not None and patterns:
        faults.invalid_here(path, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not patterns:
        faults.invalid_here(path, "specifying one of OnExitCodes and OnPodConditions is required")


def _pattern(pattern: Object, path: str, faults: Faults) -> None:
    kind, status = pattern.get("type") or "", pattern.get("status") or ""
    faults.all_invalid(f"{path}.type", kind, qualified_name(kind))
    if not status:
        faults.required(f"{path}.status", _named(_TRUTHS))
    elif status not in _TRUTHS:
        faults.not_supported(f"{path}.status", status, _TRUTHS)


def _exit_codes(given: Object, path: str, names: set[str | None], faults: Faults) -> None:
    operator, values = given.get("operator") or "", given.get("values") or []
    if not operator:
        faults.required(f"{path}.operator", _named(_OPERATORS))
    elif operator not in _OPERATORS:
        faults.not_supported(f"{path}.operator", operator, _OPERATORS)
    if given.get("containerName") is not None and given["containerName"] not in names:
        faults.invalid(
            f"{path}.containerName",
            given["containerName"],
            "must be one of the container or initContainer names in the pod template",
        )
    where = f"{path}.values"
    if not values:
        faults.invalid(where, values, "at least one value is required")
    elif len(values) > MOST_EXIT_CODES:
        faults.too_many(where, len(values), MOST_EXIT_CODES)
    seen: set[int] = set()
    for i, value in enumerate(values):
        if operator == "In" and value == 0:
            faults.invalid(f"{where}[{i}]", value, "must not be 0 for the In operator")
        if value in seen:
            faults.duplicate(f"{where}[{i}]", value)
        seen.add(value)
    if any(after < before for before, after in pairwise(values)):
        faults.invalid(where, values, "must be ordered")


def success_policy(spec: Object, path: str, faults: Faults) -> None:
    policy = spec["successPolicy"]
    if spec.get("completionMode") != "Indexed":
        faults.invalid(path, policy, "requires indexed completion mode")
        return
    rules = policy.get("rules") or ()
    if not rules:
        faults.required(
            f"{path}.rules", "at least one rules must be specified when the successPolicy is specified"
        )
    if len(rules) > MOST_SUCCESS_RULES:
        faults.too_many(f"{path}.rules", len(rules), MOST_SUCCESS_RULES)
    for i, rule in enumerate(rules):
        _success_rule(rule, f"{path}.rules[{i}]", spec.get("completions") or 0, faults)


def _success_rule(rule: Object, path: str, completions: int, faults: Faults) -> None:
    count, text = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and text is None:
        faults.required(path, "at least one of succeededCount or succeededIndexes must be specified")
    total = 0
    if text is not None:
        where = f"{path}.succeededIndexes"
        if len(text) > LONGEST_INDEXES:
            faults.too_long(where, LONGEST_INDEXES)
        else:
            try:
                total = indexes.checked(text, completions)
            except ValueError as exc:
                faults.invalid(where, text, f"error parsing succeededIndexes: {exc}")
    if count is None:
        return
    where = f"{path}.succeededCount"
    if count < 0:
        faults.invalid(where, count, "must be greater than or equal to 0")
    if count > completions:
        faults.invalid(
            where, count, f"must be less than or equal to {completions} (the number of specified completions)"
        )
    if text is not None and count > total:
        faults.invalid(
            where,
            count,
            f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes "
            "field)",
        )
