"""Signed tokens (JWT): what is in one, and whether it is ours and its time has come.

Whether the objects that it names still exist is for those to ask who know the objects.
https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jwt

from app.base.errors import BeanpoleError
from app.trust.keys import Private, PublicKey, public

# The issuer of tokens that lie in Secrets.
LEGACY_ISSUER = "kubernetes/serviceaccount"
# Tokens may be this much older or younger than our clock says. Seconds.
LEEWAY = 10.0

Claims = dict[str, Any]


class BadToken(BeanpoleError):
    """A token that is not ours, or no longer or not yet valid; says which."""


class Signer:
    """Signs claims with one private key."""

    def __init__(self, key: Private) -> None:
        self._key = key
        self.public = public(key.public_key())

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(
            dict(claims),
            self._key,
            algorithm=self.public.algorithm,
            headers={"kid": self.public.id, "typ": None},
        )


class Verifier:
    """Knows the keys and issuers that tokens of this cluster come from.

    Args:
        issuers: the first one is put into new tokens; the others are still believed.
    """

    def __init__(self, keys: Iterable[PublicKey], issuers: Sequence[str]) -> None:
        self.keys = {key.id: key for key in keys}
        self.issuers = tuple(issuers)

    def claims(self, token: str, now: float) -> Claims:
        """What the token says, if one of our keys signed it and it is valid at `now` (seconds since the epoch).

        Raises:
            BadToken: it is not.
        """
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise BadToken("invalid bearer token") from None
        key_id = header.get("kid")
        candidates = (
            [self.keys[key_id]] if key_id in self.keys else [] if key_id else list(self.keys.values())
        )
        claims = self._verified(token, [key for key in candidates if key.algorithm == header.get("alg")])
        self.check_times(claims, now)
        if claims.get("iss") not in (*self.issuers, LEGACY_ISSUER):
            raise BadToken("invalid bearer token")
        return claims

    def check_times(self, claims: Claims, now: float) -> None:
        """Raises BadToken if the token is not valid at `now`."""
        for name in ("exp", "nbf", "iat"):
            if not isinstance(claims.get(name, 0), int | float):
                raise BadToken(f"{name} is not a time")
        if "exp" in claims and now > claims["exp"] + LEEWAY:
            raise BadToken("service account token has expired")
        if now < claims.get("nbf", 0) - LEEWAY:
            raise BadToken("service account token is not valid yet")

    def _verified(self, token: str, keys: Sequence[PublicKey]) -> Claims:
        for key in keys:
            try:
                # Times are compared by our own clock, issuers and audiences where what they mean is known.
                found = jwt.decode(
                    token,
                    key.key,
                    algorithms=[key.algorithm],
                    options={
                        "verify_exp": False, "verify_nbf": False, "verify_iat": False,
                        "verify_aud": False, "verify_iss": False, "verify_sub": False, "verify_jti": False,
                    },
                )  # fmt: skip
            except jwt.PyJWTError:
                continue
            return dict(found)
        raise BadToken("invalid bearer token")


def account_claims(
    namespace: str,
    account: Mapping[str, Any],
    *,
    issuer: str,
    audiences: Sequence[str],
    now: float,
    seconds: int,
    token_id: str,
    bound: Mapping[str, Any],
    warn_after: int = 0,
) -> Claims:
    """The claims of a token for a ServiceAccount.

    Args:
        account: `name` and `uid` of it. bound: `pod`, `node`, `secret` with their `name` and `uid`.
        seconds: how long it is valid. warn_after: seconds after which its holder ought to have a newer one.
    """
    private: Claims = {"namespace": namespace, **bound, "serviceaccount": dict(account)}
    begun = int(now)
    if warn_after:
        private["warnafter"] = begun + warn_after
    return {
        "aud": list(audiences),
        "exp": begun + seconds,
        "iat": begun,
        "iss": issuer,
        "jti": token_id,
        "kubernetes.io": dict(sorted(private.items())),
        "nbf": begun,
        "sub": f"system:serviceaccount:{namespace}:{account['name']}",
    }


def legacy_claims(namespace: str, secret: str, account: Mapping[str, Any]) -> Claims:
    """The claims of a token that lies in a Secret: it has no end but the Secret's."""
    return {
        "iss": LEGACY_ISSUER,
        "kubernetes.io/serviceaccount/namespace": namespace,
        "kubernetes.io/serviceaccount/secret.name": secret,
        "kubernetes.io/serviceaccount/service-account.name": account["name"],
        "kubernetes.io/serviceaccount/service-account.uid": account["uid"],
        "sub": f"system:serviceaccount:{namespace}:{account['name']}",
    }
