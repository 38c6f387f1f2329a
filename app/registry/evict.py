"""Evict: delete a pod if its disruption budget allows it.

The budget is asked and charged in one commit, which holds only if nobody charged it in between: however many
evict at the same time, no more pods go than it allows. Only then is the pod deleted; should that never happen,
the budget's controller takes the charge back (`app.objects.budgets.GRANT_SECONDS`).
https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from app.base.errors import (
    ApiError,
    BadRequest,
    Cause,
    Forbidden,
    ServiceUnavailable,
    TooManyRequests,
    not_found,
)
from app.objects import budgets, conditions, deletion, pods
from app.objects.change import Object, Verb, Write, key_of
from app.objects.meta import is_deleting
from app.registry import admission, read, remove, statuses
from app.registry.access import guard
from app.registry.request import DeleteOptions, Request
from app.schemas import kinds
from app.schemas.decode import decode
from app.store.store import Committed

if TYPE_CHECKING:
    from app.registry.registry import Registry

MOST_NOTED = 2000
_VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget."
_SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


def evict(registry: Registry, request: Request, namespace: str, name: str, raw: Any) -> bytes:
    """Delete a pod as its Eviction says, if it may go.

    Raises:
        TooManyRequests: its budget does not allow it now. ApiError: it has several budgets. BadRequest: the
            Eviction is of another pod. Whatever `remove.remove` raises.
    """
    eviction, _ = decode(kinds.EVICTION, raw)
    if (eviction.get("metadata") or {}).get("name") not in (None, "", name):
        raise BadRequest("name in URL does not match name in Eviction object")
    given = eviction.get("deleteOptions")
    options = DeleteOptions.of(given)
    if (given or {}).get("dryRun"):
        request.dry_run = True
    pods_kind = kinds.by_resource("pods")
    admission.of_subresource(
        registry, request, pods_kind, namespace, name, "eviction", kinds.EVICTION, eviction
    )
    charged = ""
    for _ in range(remove.ATTEMPTS):
        kind = kinds.by_resource("pods")
        pod: Object = orjson.loads(read.stored(registry, kind, namespace, name).body)
        remove.check_preconditions(kind, pod, options)
        guard.check(registry, request, kind, pod, None)
        admission.of_delete(registry, request, kind, pod, options)
        uid = pod["metadata"]["uid"]
        if charged != uid and _is_charged(registry, request, pod):
            charged = uid
        write = _removal(registry, pod, options)
        if write is None or request.dry_run:
            return statuses.success(code=201)
        result = registry.commit(request, [write])[0]
        if isinstance(result, Committed):
            return statuses.success(code=201)
        if result.why == "absent":
            raise not_found("", "pods", name)
    raise ServiceUnavailable(f"pods {name!r} is written to all the time", retry_after=1)


def _removal(registry: Registry, pod: Object, options: DeleteOptions) -> Write | None:
    now = registry.clock.now()
    marked = conditions.with_condition(
        pod, "DisruptionTarget", "True", now, reason="EvictionByEvictionAPI", message="Eviction API: evicting"
    )
    return deletion.removal(
        "pods", marked, now, grace=options.grace, propagation=options.propagation or "Background"
    )


def _is_charged(registry: Registry, request: Request, pod: Object) -> bool:
    """Whether its budget was charged for it; if not, it may go for nothing, as long as it is as it was read.

    Raises as `evict`.
    """
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed", "Pending") or is_deleting(pod):
        return False
    registry.view.catch_up()
    found = budgets.of_pod(registry.view.list(budgets.RESOURCE, pod["metadata"]["namespace"]), pod)
    if not found:
        return False
    if len(found) > 1:
        raise ApiError(_SEVERAL)
    if not pods.is_ready(pod) and _spares_unready(found[0]):
        return False
    _charge(registry, request, key_of(found[0]), pod["metadata"]["name"])
    return True


def _spares_unready(budget: Object) -> bool:
    """Whether pods that are not ready may go without being counted."""
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    desired = status.get("desiredHealthy", 0)
    return bool(status.get("currentHealthy", 0) >= desired > 0)


def _charge(registry: Registry, request: Request, key: str, pod: str) -> None:
    """Take one disruption from the budget. Raises TooManyRequests, Forbidden or ServiceUnavailable."""
    for _ in range(remove.ATTEMPTS):
        stored = registry.store.get(budgets.RESOURCE, key)
        if stored is None:
            return
        budget: Object = orjson.loads(stored.body)
        _check(budget)
        if request.dry_run:
            return
        after = budgets.granted(budget, pod, registry.clock.now())
        write = Write(Verb.UPDATE, budgets.RESOURCE, key, after, expect=stored.revision, status_only=True)
        if isinstance(registry.commit(request, [write])[0], Committed):
            return
    raise ServiceUnavailable(f"poddisruptionbudgets {key!r} is written to all the time", retry_after=10)


def _check(budget: Object) -> None:
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _violated(f"The disruption budget {name} is still being processed by the server.", 10)
    if len(status.get("disruptedPods") or ()) > MOST_NOTED:
        raise Forbidden(
            f'poddisruptionbudgets.policy "{name}" is forbidden: DisruptedPods map too big - too many evictions '
            "not confirmed by PDB controller",
            group="policy",
            resource="poddisruptionbudgets",
            name=name,
        )
    if status.get("disruptionsAllowed", 0) <= 0:
        needed, there = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        raise _violated(f"The disruption budget {name} needs {needed} healthy pods and has {there} currently")


def _violated(why: str, retry_after: int | None = None) -> TooManyRequests:
    return TooManyRequests(_VIOLATED, causes=[Cause("", "DisruptionBudget", why)], retry_after=retry_after)
