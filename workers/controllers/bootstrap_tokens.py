"""Bootstrap tokens: `cluster-info` is signed with each, and they are removed when their time is over.

https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import bootstrap_token, deletion
from app.objects.bootstrap_token import TYPE
from app.objects.change import Change, Interest, Object, ReadView, split_key, update
from app.objects.meta import is_deleting
from app.trust.discovery_signature import sign
from workers.controllers.interests import itself
from workers.reconcile.plan import NOTHING, Plan, Role

SECRETS = "secrets"
INFO = "kube-public/cluster-info"
SIGNED = "kubeconfig"
SIGNATURE = "jws-kubeconfig-"


def sign_info(view: ReadView, key: str, now: float) -> Plan:
    """Let the ConfigMap carry the signatures of all tokens that may sign, and no others."""
    info = view.get("configmaps", key)
    if key != INFO or info is None or is_deleting(info) or info.get("immutable"):
        return NOTHING
    data = info.get("data") or {}
    content = data.get(SIGNED)
    wanted = {name: text for name, text in data.items() if not name.startswith(SIGNATURE)}
    ends = []
    if content:
        for token in filter(None, map(bootstrap_token.read, _tokens(view))):
            if token.signs and not token.expired(now):
                wanted[SIGNATURE + token.id] = sign(content, token.id, token.secret)
                ends.append(token.expires)
    soonest = min((end for end in ends if end is not None), default=None)
    later = None if soonest is None else soonest - now
    if wanted == data:
        return Plan(requeue_after=later)
    changed = update("configmaps", {**info, "data": wanted})
    return Plan((changed,), requeue_after=later, reason="the tokens that sign it are others")


def clean(view: ReadView, key: str, now: float) -> Plan:
    """Remove a token whose time is over."""
    secret = view.get(SECRETS, key)
    token = bootstrap_token.read(secret) if secret else None
    if secret is None or token is None or token.expires is None or is_deleting(secret):
        return NOTHING
    if not token.expired(now):
        return Plan(requeue_after=token.expires - now)
    gone = deletion.removal(SECRETS, secret, now)
    return Plan((gone,) if gone else (), reason="the bootstrap token has expired")


def _of_info(change: Change, view: ReadView) -> Iterable[str]:
    return (INFO,) if change.key == INFO else ()


def _of_token(change: Change, view: ReadView) -> Iterable[str]:
    return (INFO,) if _is_token(change) else ()


def _is_token(change: Change) -> bool:
    return change.new.get("type") == TYPE and split_key(change.key)[0] == bootstrap_token.NAMESPACE


def _tokens(view: ReadView) -> list[Object]:
    return [secret for secret in view.list(SECRETS, bootstrap_token.NAMESPACE) if secret.get("type") == TYPE]


ROLES = (
    Role(
        "bootstrap-signer-controller",
        sign_info,
        (Interest("configmaps", _of_info), Interest(SECRETS, _of_token)),
        lambda view: [INFO],
    ),
    Role(
        "token-cleaner-controller",
        clean,
        (itself(SECRETS, _is_token),),
        lambda view: [
            f"{bootstrap_token.NAMESPACE}/{secret['metadata']['name']}" for secret in _tokens(view)
        ],
    ),
)
