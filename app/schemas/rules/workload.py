"""Rules for deployments and replica sets (k8s.io/kubernetes/pkg/apis/apps/validation)."""

from __future__ import annotations

import re
from typing import Any

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.rules.meta import label_selector, selects

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
# The key is not a valid label, so no template has it.
_NOTHING = {"matchExpressions": [{"key": "", "operator": "Exists"}]}
_PERCENT = re.compile(r"[0-9]+%", re.ASCII)
_PERCENT_FORM = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex "
    "used for validation is '[0-9]+%')"
)


def replica_set_spec(spec: Object, path: str, faults: Faults) -> None:
    """The selector selects something, and it selects what the template makes."""
    selector, template = spec.get("selector"), spec.get("template") or {}
    if usable_selector(selector, path, "deployment", faults):
        given = (template.get("metadata") or {}).get("labels") or {}
        if not selects(selector or _NOTHING, given):
            faults.invalid(
                f"{path}.template.metadata.labels",
                given or None,
                "`selector` does not match template `labels`",
            )
    pod = template.get("spec") or {}
    if pod.get("restartPolicy") not in (None, "Always"):
        faults.not_supported(f"{path}.template.spec.restartPolicy", pod["restartPolicy"], ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        faults.forbidden(
            f"{path}.template.spec.activeDeadlineSeconds",
            "activeDeadlineSeconds in ReplicaSet is not Supported",
        )


def usable_selector(selector: Object | None, path: str, kind: str, faults: Faults) -> bool:
    """Whether a selector can be tried; an absent one can, and selects nothing. `kind` is whose it is."""
    if selector is None:
        return True
    before = len(faults.causes)
    label_selector(selector, f"{path}.selector", faults)
    expressions = selector.get("matchExpressions") or ()
    if not selector.get("matchLabels") and not expressions:
        faults.invalid(f"{path}.selector", selector, f"empty selector is invalid for {kind}")
    return len(faults.causes) == before and all(e.get("operator") in _OPERATORS for e in expressions)


def deployment_spec(spec: Object, path: str, faults: Faults) -> None:
    replica_set_spec(spec, path, faults)
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        faults.invalid(f"{path}.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def strategy(given: Object, path: str, faults: Faults) -> None:
    rolling = given.get("rollingUpdate")
    if rolling is None:
        return
    where = f"{path}.rollingUpdate"
    if given.get("type") == "Recreate":
        faults.forbidden(where, "may not be specified when strategy `type` is 'Recreate'")
        return
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    fine = count(surge, f"{where}.maxSurge", faults)
    fine = count(unavailable, f"{where}.maxUnavailable", faults) and fine
    if not fine:
        return
    if is_zero(surge) and is_zero(unavailable):
        faults.invalid(f"{where}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
    over_all(unavailable, f"{where}.maxUnavailable", faults)


def count(value: Any, path: str, faults: Faults) -> bool:
    """Whether it is a number of pods or a share of them."""
    if isinstance(value, int) and value < 0:
        faults.invalid(path, value, "must be greater than or equal to 0")
        return False
    if isinstance(value, str) and not _PERCENT.fullmatch(value):
        faults.invalid(path, value, _PERCENT_FORM)
        return False
    return True


def over_all(value: Any, path: str, faults: Faults) -> None:
    """A share of pods is at most all of them."""
    if isinstance(value, str) and len(value) < 12 and int(value[:-1]) > 100:
        faults.invalid(path, value, "must not be greater than 100%")


def is_zero(value: Any) -> bool:
    """Whether a number or share of pods, well-formed, comes to none."""
    return value == 0 or (isinstance(value, str) and not value[:-1].strip("0"))
