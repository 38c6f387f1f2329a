"""OpenID discovery: by which keys others can verify tokens of this cluster's ServiceAccounts.

https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#serviceaccount-issuer-discovery
"""

from __future__ import annotations

import orjson

from app.api.answers import Answer, unknown_path
from app.trust.keys import key_set
from app.trust.loading import Trust

CONFIGURATION = "/.well-known/openid-configuration"
KEYS = "/openid/v1/jwks"


def configuration(trust: Trust, server: str) -> Answer:
    """Who issues tokens, and where the keys are. An issuer that is no address of this API is where others look
    first, so the keys are named by the API's own."""
    if not trust.verifier.keys:
        return unknown_path()
    body = {
        "issuer": trust.issuer,
        "jwks_uri": f"{server.rstrip('/')}{KEYS}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": sorted(
            {key.algorithm for key in trust.verifier.keys.values()}
        ),
    }
    return Answer(200, orjson.dumps(body))


def keys(trust: Trust) -> Answer:
    """The public keys (JWKS)."""
    if not trust.verifier.keys:
        return unknown_path()
    body = orjson.dumps(key_set(trust.verifier.keys.values()))
    return Answer(200, body, "application/jwk-set+json")
