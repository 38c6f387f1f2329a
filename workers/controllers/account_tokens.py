"""Secrets of type `kubernetes.io/service-account-token` get a token of the account that they name, and go with it.

https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.objects import deletion
from app.objects.change import Change, Interest, Object, Operation, ReadView, split_key, update
from app.objects.meta import annotations_of, is_deleting, with_meta
from app.trust.tokens import legacy_claims
from workers.controllers.interests import itself
from workers.reconcile.plan import NOTHING, Plan, Role

RESOURCE = "secrets"
TYPE = "kubernetes.io/service-account-token"
ACCOUNT = "kubernetes.io/service-account.name"
ACCOUNT_UID = "kubernetes.io/service-account.uid"

Sign = Callable[[Mapping[str, Any]], str]


def role(sign: Sign | None, authority: str) -> Role:
    """The role that signs tokens by `sign`, and adds the API's `authority` (PEM). Without `sign` it only cleans up."""

    def plan(view: ReadView, key: str, now: float) -> Plan:
        """Fill the Secret with what it lacks; delete it if its account is gone."""
        secret = view.get(RESOURCE, key)
        if secret is None or secret.get("type") != TYPE or is_deleting(secret):
            return NOTHING
        namespace, name = split_key(key)
        notes = annotations_of(secret)
        account = view.get("serviceaccounts", f"{namespace}/{notes.get(ACCOUNT, '')}")
        if (
            account is None
            or notes.get(ACCOUNT_UID, account["metadata"]["uid"]) != account["metadata"]["uid"]
        ):
            gone = deletion.removal(RESOURCE, secret, now)
            return Plan((gone,) if gone else (), reason="its ServiceAccount is gone")
        if sign is None:
            return NOTHING
        who = {"name": account["metadata"]["name"], "uid": account["metadata"]["uid"]}
        data = dict(secret.get("data") or {})
        if not data.get("token"):
            data["token"] = _coded(sign(legacy_claims(namespace, name, who)))
        if authority:
            data["ca.crt"] = _coded(authority)
        data["namespace"] = _coded(namespace)
        filled = with_meta({**secret, "data": data}, annotations={**notes, ACCOUNT_UID: who["uid"]})
        if filled == secret:
            return NOTHING
        return Plan((update(RESOURCE, filled),), reason="it lacked a token")

    return Role(
        "tokens-controller",
        plan,
        (
            itself(RESOURCE, lambda change: change.new.get("type") == TYPE),
            Interest("serviceaccounts", _of_account),
        ),
        lambda view: [_key(secret) for secret in view.list(RESOURCE) if secret.get("type") == TYPE],
    )


def _of_account(change: Change, view: ReadView) -> Iterable[str]:
    """The Secrets that name an account which came or went."""
    if change.operation is Operation.MODIFIED:
        return ()
    namespace, name = split_key(change.key)
    return [
        _key(secret)
        for secret in view.list(RESOURCE, namespace)
        if secret.get("type") == TYPE and annotations_of(secret).get(ACCOUNT) == name
    ]


def _key(secret: Object) -> str:
    return f"{secret['metadata']['namespace']}/{secret['metadata']['name']}"


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
