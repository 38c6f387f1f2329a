"""Every namespace has a ServiceAccount `default`, which pods that name none run as.

https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Change, Interest, Operation, ReadView, create, split_key
from app.objects.meta import is_deleting
from workers.controllers.interests import itself
from workers.reconcile.plan import NOTHING, Plan, Role

RESOURCE = "serviceaccounts"
NAME = "default"


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Make the namespace's default account if it is missing."""
    namespace = view.get("namespaces", key)
    if namespace is None or is_deleting(namespace) or view.get(RESOURCE, f"{key}/{NAME}") is not None:
        return NOTHING
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": key}}
    return Plan((create(RESOURCE, account),), reason="it was missing")


def _of_account(change: Change, view: ReadView) -> Iterable[str]:
    namespace, name = split_key(change.key)
    return (namespace,) if name == NAME and change.operation is Operation.DELETED else ()


ROLE = Role(
    "service-account-controller",
    plan,
    (
        itself("namespaces", lambda change: change.operation is Operation.ADDED),
        Interest(RESOURCE, _of_account),
    ),
    lambda view: view.keys("namespaces"),
)
