"""Bootstrap tokens: `<id>.<secret>`, each in a Secret of its own, by which machines join.

https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
"""

from __future__ import annotations

import hmac

import orjson

from app.api.user import AUTHENTICATED, User
from app.base.clock import Clock
from app.objects import bootstrap_token
from app.store.store import Store
from app.trust.tokens import BadToken


class BootstrapTokens:
    """Knows whose bootstrap token it is. They are rare, so the Secret is read each time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def user(self, token: str) -> User | None:
        """Who the token makes its holder; None if it has not the form of one.

        Raises:
            BadToken: there is no such token, or its time is over, or it is for something else.
        """
        parts = bootstrap_token.split(token)
        if parts is None:
            return None
        name, secret = parts
        stored = self._store.get("secrets", bootstrap_token.key_of(name))
        found = bootstrap_token.read(orjson.loads(stored.body)) if stored else None
        if found is None or found.id != name or not hmac.compare_digest(found.secret, secret):
            raise BadToken("invalid bearer token")
        if found.expired(self._clock.now()):
            raise BadToken("bootstrap token has expired")
        if not found.authenticates:
            raise BadToken("bootstrap token is not for authentication")
        groups = (bootstrap_token.GROUP, *found.groups, AUTHENTICATED)
        return User(f"system:bootstrap:{found.id}", "", tuple(dict.fromkeys(groups)))
