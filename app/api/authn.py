"""Authentication: who sends a request, by any of the ways there are.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/: client certificates, tokens of
ServiceAccounts, bootstrap tokens, and the token file. The first that succeeds counts.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from app.api.authn_accounts import Accounts
from app.api.authn_bootstrap import BootstrapTokens
from app.api.authn_certificates import Certificates
from app.api.authn_static import Tokens
from app.api.user import ANONYMOUS, AUTHENTICATED, User
from app.base.clock import Clock
from app.base.errors import Unauthorized
from app.store.store import Store
from app.store.view import View
from app.trust.clients import BadCertificate
from app.trust.loading import Trust
from app.trust.tokens import BadToken

__all__ = ["ANONYMOUS", "AUTHENTICATED", "Authenticator", "User"]


class Authenticator:
    """Knows who sends a request."""

    def __init__(self, token_file: str, trust: Trust, store: Store, view: View, clock: Clock) -> None:
        self.audiences = trust.audiences
        self._static = Tokens(token_file, clock)
        self._accounts = Accounts(trust.verifier, trust.audiences, store, view, clock)
        self._bootstrap = BootstrapTokens(store, clock)
        self._certificates = Certificates(trust.clients, clock)

    def user(self, environ: dict[str, Any]) -> User | None:
        """Who sends the request; None if it shows no credentials at all.

        Raises:
            Unauthorized: it shows some, and none of them is good.
        """
        bad = False
        try:
            user = self._certificates.user(environ)
            if user is not None:
                return user
        except BadCertificate:
            bad = True
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        token = token.strip()
        if scheme.lower() == "bearer" and token:
            try:
                return self.of_token(token)[0]
            except BadToken:
                bad = True
        if bad or scheme:
            raise Unauthorized("Unauthorized")
        return None

    def of_token(self, token: str, audiences: Collection[str] = ()) -> tuple[User, tuple[str, ...]]:
        """Whose token it is, and for which of `audiences` (empty: this API) it is meant.

        Raises:
            BadToken: nobody's, or not for them.
        """
        user = self._static.user(token)
        if user is None:
            bound = self._accounts.user(token, audiences)
            if bound is not None:
                return bound
            user = self._bootstrap.user(token)
        if user is None:
            raise BadToken("invalid bearer token")
        # Tokens without an audience are for this API.
        meant = tuple(each for each in audiences if each in self.audiences) if audiences else self.audiences
        if not meant:
            raise BadToken(f"token is not for the target audiences {list(audiences)}")
        return user, meant
