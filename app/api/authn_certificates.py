"""Client certificates, as the TLS connection under a request showed them.

The connection only passes them on (`app.api.serve.tls`); whether one is good is found out here, so that a bad one
gets 401 as any other bad credential.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from app.api.user import AUTHENTICATED, User
from app.base.clock import Clock
from app.trust.clients import Authorities, BadCertificate, Bearer, bearer_of

# Certificates that are remembered, good or bad.
REMEMBERED = 1024
# Where a test, or a server that ends TLS itself, puts the certificate of the client (DER).
ENVIRON = "beanpole.client_certificate"
_CREDENTIAL = "authentication.kubernetes.io/credential-id"


class Certificates:
    """Knows whom a certificate stands for."""

    def __init__(self, authorities: Authorities, clock: Clock) -> None:
        self._authorities = authorities
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[Bearer, User] | BadCertificate] = OrderedDict()

    def user(self, environ: dict[str, Any]) -> User | None:
        """Whom the client's certificate stands for; None if it showed none.

        Raises:
            BadCertificate: it proves nothing, or its time is over or has not come.
        """
        shown = _shown(environ)
        if shown is None:
            return None
        known = self._known.get(shown)
        if known is None:
            known = self._known[shown] = self._read(shown)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        if isinstance(known, BadCertificate):
            raise known
        bearer, user = known
        if not bearer.begins <= self._clock.now() <= bearer.ends:
            raise BadCertificate("x509: certificate has expired or is not yet valid")
        return user

    def _read(self, der: bytes) -> tuple[Bearer, User] | BadCertificate:
        try:
            bearer = bearer_of(der, self._authorities)
        except BadCertificate as exc:
            return exc
        extra = {_CREDENTIAL: (f"X509SHA256={bearer.fingerprint}",)}
        return bearer, User(bearer.user, "", (*bearer.groups, AUTHENTICATED), extra)


def _shown(environ: dict[str, Any]) -> bytes | None:
    found = environ.get(ENVIRON)
    if found is not None:
        return bytes(found)
    ask = getattr(environ.get("gunicorn.socket"), "getpeercert", None)
    return ask(True) if ask is not None else None
