"""Taints and tolerations.

Rules: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.objects.change import Object

NO_SCHEDULE = "NoSchedule"
PREFER_NO_SCHEDULE = "PreferNoSchedule"
NO_EXECUTE = "NoExecute"

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
# The taints of a node that is short of something, by the condition that says so.
PRESSURES = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
}


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether this toleration matches this taint. An empty key with `Exists` matches every key, an
    empty effect every effect."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    operator = toleration.get("operator") or "Equal"
    key = toleration.get("key") or ""
    if key == "":
        return bool(operator == "Exists")
    if key != taint.get("key"):
        return False
    if operator == "Exists":
        return True
    return operator == "Equal" and (toleration.get("value") or "") == (taint.get("value") or "")


def tolerated(taint: Object, tolerations: Iterable[Object]) -> bool:
    """Whether any of the tolerations matches the taint."""
    return any(tolerates(toleration, taint) for toleration in tolerations)


def untolerated(
    taints: Iterable[Object], tolerations: Sequence[Object], effects: Sequence[str]
) -> Object | None:
    """The first taint with one of `effects` that no toleration matches; None if there is none."""
    for taint in taints:
        if taint.get("effect") in effects and not tolerated(taint, tolerations):
            return taint
    return None


def seconds_tolerated(taint: Object, tolerations: Iterable[Object]) -> float | None:
    """How long a pod with these tolerations may stay on a node that has a NoExecute taint: 0 if none
    matches, None for ever, otherwise the least tolerationSeconds of those that match."""
    matching = [t for t in tolerations if tolerates(t, taint)]
    if not matching:
        return 0.0
    limits = [t["tolerationSeconds"] for t in matching if t.get("tolerationSeconds") is not None]
    return max(0.0, float(min(limits))) if limits else None
