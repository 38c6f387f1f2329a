"""ResourceQuota: its status says what its namespace uses of it.

Admission does not go by this status but counts itself; it is for people.
https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.objects.change import Change, Interest, Object, Operation, ReadView, split_key, update
from app.objects.pods import is_terminal
from app.objects.quota_ledger import Ledger
from app.objects.quota_usage import resource_of, shown
from workers.controllers.interests import itself, unless_same
from workers.reconcile.plan import NOTHING, Plan, Role

RESOURCE = "resourcequotas"


def role() -> Role:
    """The role. What it counted, it remembers as long as it is asked on the same view."""
    known: list[tuple[ReadView, Ledger]] = []

    def plan(view: ReadView, key: str, now: float) -> Plan:
        if not known or known[0][0] is not view:
            known[:] = [(view, Ledger(view))]
        return plan_quota(view, key, known[0][1])

    return Role(
        "resourcequota-controller",
        plan,
        (itself(RESOURCE, unless_same(_spec)), Interest("*", _charged)),
        lambda view: view.keys(RESOURCE),
    )


def plan_quota(view: ReadView, key: str, ledger: Ledger) -> Plan:
    """Write hard and used if they differ from what the status says."""
    quota = view.get(RESOURCE, key)
    if quota is None:
        return NOTHING
    hard = (quota.get("spec") or {}).get("hard") or {}
    used = ledger.used(quota)
    status = {"hard": hard, "used": {name: shown(name, used.get(name, 0)) for name in hard}}
    if quota.get("status") == status:
        return NOTHING
    write = replace(update(RESOURCE, {**quota, "status": status}), status_only=True)
    return Plan((write,), reason="its usage changed")


def _charged(change: Change, view: ReadView) -> Iterable[str]:
    """The quotas of the namespace that count objects of this resource, if the change could change a sum."""
    namespace = split_key(change.key)[0]
    if not namespace:
        return ()
    keys = view.keys(RESOURCE, namespace)
    if not keys or not _matters(change):
        return ()
    return [key for key in keys if _counts(view.get(RESOURCE, key), change.resource)]


def _counts(quota: Object | None, resource: str) -> bool:
    names = ((quota or {}).get("spec") or {}).get("hard") or {}
    return any(resource_of(name) == resource for name in names)


def _matters(change: Change) -> bool:
    if change.operation is not Operation.MODIFIED or change.old is None:
        return True
    if change.resource == "pods" and is_terminal(change.old) != is_terminal(change.new):
        return True
    return change.old.get("spec") != change.new.get("spec")


def _spec(quota: Object) -> object:
    return quota.get("spec"), (quota.get("status") or {}).get("hard")
