"""Every namespace has a ConfigMap `kube-root-ca.crt`, by which its pods know the API for what it is.

https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-token-volume
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Change, Interest, Operation, ReadView, create, split_key, update
from app.objects.meta import is_deleting
from workers.controllers.interests import itself
from workers.reconcile.plan import NOTHING, Plan, Role

RESOURCE = "configmaps"
NAME = "kube-root-ca.crt"
FILE = "ca.crt"


def role(authority: str) -> Role:
    """The role that puts this authority (PEM) into every namespace; with none there is nothing to put."""

    def plan(view: ReadView, key: str, now: float) -> Plan:
        """Make the namespace's ConfigMap, or make it say what it should."""
        namespace = view.get("namespaces", key)
        if not authority or namespace is None or is_deleting(namespace):
            return NOTHING
        found = view.get(RESOURCE, f"{key}/{NAME}")
        data = {FILE: authority}
        if found is None:
            meta = {
                "name": NAME,
                "namespace": key,
                "annotations": {
                    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver "
                    "when using internal endpoints such as the internal service IP or kubernetes.default.svc."
                },
            }
            made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
            return Plan((create(RESOURCE, made),), reason="it was missing")
        if found.get("data") == data or found.get("immutable") or is_deleting(found):
            return NOTHING
        return Plan((update(RESOURCE, {**found, "data": data}),), reason="the authority is another one")

    return Role(
        "root-ca-certificate-publisher-controller",
        plan,
        (
            itself("namespaces", lambda change: change.operation is Operation.ADDED),
            Interest(RESOURCE, _of_config_map),
        ),
        lambda view: view.keys("namespaces"),
    )


def _of_config_map(change: Change, view: ReadView) -> Iterable[str]:
    namespace, name = split_key(change.key)
    return (namespace,) if name == NAME and change.operation is not Operation.ADDED else ()
