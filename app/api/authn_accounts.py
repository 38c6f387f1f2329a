"""Tokens of ServiceAccounts: signed by us, in time, for us, and of an account that is still there, as is whatever
the token is bound to.

https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson

from app.api.authn_static import digest
from app.api.user import AUTHENTICATED, User, account_groups, account_of
from app.base.clock import Clock, parse_rfc3339
from app.objects.change import Object
from app.store.store import Store
from app.store.view import View
from app.trust.tokens import LEGACY_ISSUER, BadToken, Claims, Verifier

# Signatures that are remembered. A token's claims are a kilobyte or two.
REMEMBERED = 4096
# So long after its deletion began, an object that a token is bound to counts as gone. Seconds.
LINGERS = 60.0
_EXTRA = "authentication.kubernetes.io/"
_LEGACY = "kubernetes.io/serviceaccount/"


@dataclass(frozen=True, slots=True)
class Known:
    """A token whose signature was verified. `needs`: resource, key and uid of what must exist."""

    claims: Claims
    user: User
    audiences: tuple[str, ...]
    needs: tuple[tuple[str, str, str], ...]
    secret: tuple[str, str] | None = None


class Accounts:
    """Knows whose token it is.

    Verifying a signature takes a tenth of a millisecond, so those of the last few thousand tokens are remembered;
    times and objects are looked at on every request.
    """

    def __init__(
        self, verifier: Verifier, audiences: Collection[str], store: Store, view: View, clock: Clock
    ) -> None:
        self._verifier = verifier
        self._audiences = tuple(audiences)
        self._store = store
        self._view = view
        self._clock = clock
        self._known: OrderedDict[bytes, Known] = OrderedDict()

    def user(self, token: str, audiences: Collection[str] = ()) -> tuple[User, tuple[str, ...]] | None:
        """Whose token it is and for which of `audiences` (empty: this API) it is meant; None if it has not the form
        of one of ours.

        Raises:
            BadToken: it is no longer, or not yet, or not here valid.
        """
        if token.count(".") != 2 or not self._verifier.keys:
            return None
        now = self._clock.now()
        key = digest(token)
        known = self._known.get(key)
        if known is None:
            known = _read(self._verifier.claims(token, now))
            self._known[key] = known
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._verifier.check_times(known.claims, now)
        wanted = tuple(audiences) or self._audiences
        # A token in a Secret says nothing of an audience: it is for this API.
        meant = tuple(each for each in wanted if each in (known.audiences or self._audiences))
        if not meant:
            raise BadToken(
                f"token audiences {list(known.audiences)} is invalid for the target audiences {list(wanted)}"
            )
        for resource, name, uid in known.needs:
            self._check(resource, name, uid, now)
        if known.secret:
            self._check_secret(*known.secret, token)
        return known.user, meant

    def _check(self, resource: str, key: str, uid: str, now: float) -> None:
        """Raises BadToken if the object is gone, or is another one of that name."""
        record = self._view.record(resource, key)
        # The view is a moment behind; who was made in that moment is asked for.
        if record is not None and _is_there(record.obj, uid, now):
            return
        stored = self._store.get(resource, key)
        if stored is None:
            raise BadToken(f"{resource} {key} has been deleted")
        if not _is_there(orjson.loads(stored.body), uid, now):
            raise BadToken(f"{resource} {key} has been deleted, or its uid does not match the claim")

    def _check_secret(self, namespace: str, name: str, token: str) -> None:
        stored = self._store.get("secrets", f"{namespace}/{name}")
        if stored is None:
            raise BadToken("service account token has been invalidated: its secret is gone")
        data = orjson.loads(stored.body).get("data") or {}
        if base64.b64decode(data.get("token") or "") != token.encode():
            raise BadToken("service account token does not match its secret's")


def _is_there(obj: Object, uid: str, now: float) -> bool:
    meta = obj["metadata"]
    if uid and meta.get("uid") != uid:
        return False
    deleted = meta.get("deletionTimestamp")
    return not deleted or parse_rfc3339(deleted) + LINGERS > now


def _read(claims: Claims) -> Known:
    return _legacy(claims) if claims.get("iss") == LEGACY_ISSUER else _bound(claims)


def _bound(claims: Claims) -> Known:
    private = _dict(claims.get("kubernetes.io"))
    namespace = str(private.get("namespace") or "")
    account = _dict(private.get("serviceaccount"))
    user = _user(claims, namespace, account.get("name"), account.get("uid"))
    needs = [("serviceaccounts", f"{namespace}/{account['name']}", str(account["uid"]))]
    extra: dict[str, tuple[str, ...]] = {}
    if claims.get("jti"):
        extra[f"{_EXTRA}credential-id"] = (f"JTI={claims['jti']}",)
    pod, node, secret = (_dict(private.get(name)) for name in ("pod", "node", "secret"))
    if pod:
        needs.append(("pods", f"{namespace}/{pod['name']}", str(pod.get("uid") or "")))
        extra[f"{_EXTRA}pod-name"], extra[f"{_EXTRA}pod-uid"] = (pod["name"],), (str(pod.get("uid") or ""),)
    if secret:
        needs.append(("secrets", f"{namespace}/{secret['name']}", str(secret.get("uid") or "")))
    if node:
        if not pod:
            needs.append(("nodes", str(node["name"]), str(node.get("uid") or "")))
        extra[f"{_EXTRA}node-name"] = (node["name"],)
        if node.get("uid"):
            extra[f"{_EXTRA}node-uid"] = (node["uid"],)
    audiences = claims.get("aud") or ()
    audiences = (audiences,) if isinstance(audiences, str) else tuple(audiences)
    if not audiences:
        raise BadToken("token has no audience")
    return Known(claims, User(user.name, user.uid, user.groups, extra), audiences, tuple(needs))


def _legacy(claims: Claims) -> Known:
    namespace = str(claims.get(f"{_LEGACY}namespace") or "")
    name, uid = claims.get(f"{_LEGACY}service-account.name"), claims.get(f"{_LEGACY}service-account.uid")
    secret = str(claims.get(f"{_LEGACY}secret.name") or "")
    if not secret:
        raise BadToken("token names no secret")
    user = _user(claims, namespace, name, uid)
    return Known(
        claims, user, (), (("serviceaccounts", f"{namespace}/{name}", str(uid)),), (namespace, secret)
    )


def _user(claims: Claims, namespace: str, name: Any, uid: Any) -> User:
    """The user that the token is about, which it says twice."""
    subject = str(claims.get("sub") or "")
    if not namespace or not name or not uid or account_of(subject) != (namespace, name):
        raise BadToken("token's subject is not the account in its claims")
    return User(subject, str(uid), (*account_groups(namespace), AUTHENTICATED))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
