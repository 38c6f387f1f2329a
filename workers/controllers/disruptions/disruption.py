"""PodDisruptionBudget: how many of its pods may be evicted now.

Evictions charge the budget themselves (`app.registry.evict`); a grant counts until its pod is marked for
deletion, or until it has waited for too long.
https://kubernetes.io/docs/tasks/run-application/configure-pdb/
"""

from __future__ import annotations

from collections.abc import Iterable

from app.base.clock import parse_rfc3339
from app.objects import budgets, conditions, pods
from app.objects.change import Object, ReadView, update
from app.objects.meta import is_deleting, labels
from workers.controllers.disruptions.scale import Unknown, expected_scale, share
from workers.controllers.interests import itself, unless_same, watches
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

RESOURCE = budgets.RESOURCE


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Count, and say what that allows."""
    budget = view.get(RESOURCE, key)
    if budget is None:
        return NOTHING
    own = [
        pod for pod in view.list("pods", budget["metadata"]["namespace"]) if budgets.holds_for(budget, pod)
    ]
    events: list[EventNote] = []
    if not own:
        events.append(EventNote(budget, "NoPods", "No matching pods found"))
    try:
        expected, desired = _wanted(view, budget, own)
    except Unknown as exc:
        text = f"Failed to calculate the number of expected pods: {exc}"
        events.append(EventNote(budget, "CalculateExpectedPodCountFailed", text, "Warning"))
        return _reported(budget, _failed(budget, str(exc), now), events, None)
    noted, wait = _noted(budget, own, events, now)
    healthy = sum(
        pods.is_ready(pod) and not is_deleting(pod) and pod["metadata"]["name"] not in noted for pod in own
    )
    status: Object = {
        **(budget.get("status") or {}),
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "disruptionsAllowed": max(0, healthy - desired) if expected > 0 else 0,
        "observedGeneration": budget["metadata"].get("generation", 1),
    }
    status.pop("disruptedPods", None)
    if noted:
        status["disruptedPods"] = noted
    return _reported(budget, budgets.with_allowed({**budget, "status": status}, now), events, wait)


def _wanted(view: ReadView, budget: Object, own: list[Object]) -> tuple[int, int]:
    """How many pods there should be, and how many of them healthy. Raises Unknown."""
    spec = budget["spec"]
    most, least = spec.get("maxUnavailable"), spec.get("minAvailable")
    if most is not None:
        expected = expected_scale(view, own)
        return expected, max(0, expected - share(most, expected))
    if isinstance(least, str):
        expected = expected_scale(view, own)
        return expected, share(least, expected)
    return (len(own), least) if least is not None else (0, 0)


def _noted(
    budget: Object, own: list[Object], events: list[EventNote], now: float
) -> tuple[dict[str, str], float | None]:
    """The grants that still count, and the seconds until the next runs out."""
    there = {pod["metadata"]["name"]: pod for pod in own}
    kept: dict[str, str] = {}
    wait: float | None = None
    for name, at in ((budget.get("status") or {}).get("disruptedPods") or {}).items():
        pod = there.get(name)
        if pod is None or is_deleting(pod):
            continue
        left = parse_rfc3339(at) + budgets.GRANT_SECONDS - now
        if left <= 0:
            text = f"Pod was expected by PDB {_name(budget)} to be deleted but it wasn't"
            events.append(EventNote(pod, "NotDeleted", text, "Warning"))
            continue
        kept[name] = at
        wait = left if wait is None else min(wait, left)
    return kept, wait


def _failed(budget: Object, why: str, now: float) -> Object:
    """The budget when nobody can say what it allows: then it allows nothing."""
    before = budget.get("status") or {}
    counts = {field: before.get(field, 0) for field in ("currentHealthy", "desiredHealthy", "expectedPods")}
    failed = {**budget, "status": {**before, **counts, "disruptionsAllowed": 0}}
    return conditions.with_condition(
        failed,
        "DisruptionAllowed",
        "False",
        now,
        reason="SyncFailed",
        message=why,
        observedGeneration=before.get("observedGeneration"),
    )


def _reported(budget: Object, after: Object, events: list[EventNote], wait: float | None) -> Plan:
    if after.get("status") == budget.get("status"):
        return Plan((), tuple(events), wait)
    status = after["status"]
    reason = f"{status['currentHealthy']} of {status['desiredHealthy']} healthy"
    return Plan((update(RESOURCE, after),), tuple(events), wait, reason)


def _name(budget: Object) -> str:
    meta = budget["metadata"]
    return f"{meta['namespace']}/{meta['name']}"


def _of_pod(pod: Object, view: ReadView) -> Iterable[str]:
    found = view.list(RESOURCE, pod["metadata"]["namespace"])
    return [_name(budget) for budget in budgets.of_pod(found, pod)] if found else ()


def _of_owner(owner: Object, view: ReadView) -> Iterable[str]:
    """All of the namespace: which pods an owner has is asked only when it changes its size, which is rare."""
    return view.keys(RESOURCE, owner["metadata"]["namespace"])


def _pod_facts(pod: Object) -> object:
    meta = pod["metadata"]
    return (
        labels(pod),
        pods.is_ready(pod),
        meta.get("deletionTimestamp"),
        meta.get("ownerReferences"),
    )


def _size(owner: Object) -> object:
    return owner["spec"].get("replicas")


ROLE = Role(
    "disruption-controller",
    plan,
    (
        itself(
            RESOURCE, unless_same(lambda b: (b["spec"], b.get("status"), b["metadata"].get("generation")))
        ),
        watches("pods", _of_pod, unless_same(_pod_facts), among=RESOURCE),
        *(
            watches(resource, _of_owner, unless_same(_size), among=RESOURCE)
            for resource in (
                "deployments.apps",
                "replicasets.apps",
                "statefulsets.apps",
                "replicationcontrollers",
            )
        ),
    ),
    lambda view: view.keys(RESOURCE),
)
