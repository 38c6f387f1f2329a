"""Rules for stateful sets, daemon sets, controller revisions and replication controllers
(k8s.io/kubernetes/pkg/apis/apps/validation, and core/validation for the last)."""

from __future__ import annotations

from typing import Any

from app.objects.change import Object
from app.schemas.faults import Faults, shown
from app.schemas.formats import dns_label
from app.schemas.rules.meta import label_selector, selects
from app.schemas.rules.workload import count, is_zero, over_all, usable_selector

_POLICIES = ("OrderedReady", "Parallel")
_STATEFUL_STRATEGIES = ("RollingUpdate", "OnDelete")
_NOT_SELECTED = "`selector` does not match template `labels`"
# What of a StatefulSet may change.
_STATEFUL_FREE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_STATEFUL_SEALED = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def stateful_set_spec(spec: Object, path: str, faults: Faults) -> None:
    policy = spec.get("podManagementPolicy")
    if policy is not None and policy not in _POLICIES:
        faults.invalid(f"{path}.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    _stateful_strategy(spec.get("updateStrategy") or {}, f"{path}.updateStrategy", faults)
    selector = spec.get("selector")
    if selector is not None:
        before = len(faults.causes)
        label_selector(selector, f"{path}.selector", faults)
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            faults.invalid(f"{path}.selector", selector, "empty selector is invalid for statefulset")
        if len(faults.causes) == before:
            _selected(selector, spec, path, faults)
    _running_for_ever(spec, path, "StatefulSet", faults)
    _claims(spec, path, faults)


def _stateful_strategy(given: Object, path: str, faults: Faults) -> None:
    kind, rolling = given.get("type"), given.get("rollingUpdate")
    if kind is not None and kind not in _STATEFUL_STRATEGIES:
        faults.invalid(path, given, "must be 'RollingUpdate' or 'OnDelete'")
    if rolling is None:
        return
    if kind == "OnDelete":
        faults.invalid(f"{path}.rollingUpdate", rolling, "only allowed for updateStrategy 'RollingUpdate'")
        return
    unavailable = rolling.get("maxUnavailable")
    where = f"{path}.rollingUpdate.maxUnavailable"
    if unavailable is not None and count(unavailable, where, faults):
        if is_zero(unavailable):
            faults.invalid(where, unavailable, "cannot be 0")
        over_all(unavailable, where, faults)


def _claims(spec: Object, path: str, faults: Faults) -> None:
    """Each claim template has a name of its own, which is that of a volume. (Kubernetes takes any, and fails to make the
    claims.) A mount of it names a volume that the pod template doesn't have: each pod gets its own."""
    seen: set[str] = set()
    for i, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        where = f"{path}.volumeClaimTemplates[{i}].metadata.name"
        name = (claim.get("metadata") or {}).get("name") or ""
        if not name:
            faults.required(where)
        elif name in seen:
            faults.duplicate(where, name)
        else:
            faults.all_invalid(where, name, dns_label(name))
        seen.add(name)
    names = {
        f"Not found: {shown((claim.get('metadata') or {}).get('name') or '')}"
        for claim in spec.get("volumeClaimTemplates") or ()
    }
    template = f"{path}.template.spec."
    if names:
        faults.causes[:] = [
            cause
            for cause in faults.causes
            if cause.reason != "FieldValueNotFound"
            or cause.message not in names
            or not cause.field.startswith(template)
        ]


def stateful_set_update(old: Object, new: Object, faults: Faults) -> None:
    """Most of what a StatefulSet is made of stays; to change it, it is made anew around its pods."""

    def sealed(obj: Object) -> Object:
        return {name: value for name, value in (obj.get("spec") or {}).items() if name not in _STATEFUL_FREE}

    if sealed(old) != sealed(new):
        faults.forbidden("spec", _STATEFUL_SEALED)


def daemon_set_spec(spec: Object, path: str, faults: Faults) -> None:
    selector = spec.get("selector")
    if usable_selector(selector, path, "daemonset", faults):
        _selected(selector, spec, path, faults)
    _running_for_ever(spec, path, "DaemonSet", faults)


def daemon_set_strategy(given: Object, path: str, faults: Faults) -> None:
    """One of the two numbers is 0 and the other is not: a node's old pod goes first, or the new one comes first."""
    rolling = given.get("rollingUpdate")
    if given.get("type") != "RollingUpdate":
        return
    where = f"{path}.rollingUpdate"
    if rolling is None:
        faults.required(where)
        return
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    fine = count(unavailable, f"{where}.maxUnavailable", faults)
    fine = count(surge, f"{where}.maxSurge", faults) and fine
    if not fine:
        return
    over_all(unavailable, f"{where}.maxUnavailable", faults)
    over_all(surge, f"{where}.maxSurge", faults)
    if not is_zero(unavailable) and not is_zero(surge):
        faults.invalid(f"{where}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    elif is_zero(unavailable) and is_zero(surge):
        faults.required(f"{where}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def replication_controller_spec(spec: Object, path: str, faults: Faults) -> None:
    selector, template = spec.get("selector"), spec.get("template")
    if not selector:
        faults.required(f"{path}.selector")
    if template is None:
        faults.required(f"{path}.template")
        return
    if selector:
        _selected({"matchLabels": selector}, spec, path, faults)
    _running_for_ever(spec, path, "ReplicationController", faults)


def controller_revision(revision: Object, path: str, faults: Faults) -> None:
    if revision.get("data") is None:
        faults.required("data", "data is mandatory")


def _selected(selector: Any, spec: Object, path: str, faults: Faults) -> None:
    """The selector selects what the template makes."""
    given = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if selector is None or not selects(selector, given):
        faults.invalid(f"{path}.template.metadata.labels", given or None, _NOT_SELECTED)


def _running_for_ever(spec: Object, path: str, kind: str, faults: Faults) -> None:
    pod = (spec.get("template") or {}).get("spec") or {}
    where = f"{path}.template.spec"
    if pod.get("restartPolicy") not in (None, "Always"):
        faults.not_supported(f"{where}.restartPolicy", pod["restartPolicy"], ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        faults.forbidden(
            f"{where}.activeDeadlineSeconds", f"activeDeadlineSeconds in {kind} is not Supported"
        )
