"""How `cluster-info` is signed with a bootstrap token, so that whoever knows the token can believe it before it knows
the cluster's authority: a JSON Web Signature (RFC 7515, HS256) without its payload.

https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#configmap-signing
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json


def sign(content: str, token_id: str, secret: str) -> str:
    """The signature of `content` with a token."""
    header = _encoded(json.dumps({"alg": "HS256", "kid": token_id}, separators=(",", ":")).encode())
    return f"{header}..{_mac(header, content, secret)}"


def verify(content: str, signature: str, token_id: str, secret: str) -> bool:
    """Whether somebody signed `content` who knows the token."""
    header, dots, mac = signature.partition("..")
    if not dots:
        return False
    try:
        said = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except ValueError:
        return False
    if not isinstance(said, dict) or said.get("alg") != "HS256" or said.get("kid") != token_id:
        return False
    return hmac.compare_digest(mac, _mac(header, content, secret))


def _mac(header: str, content: str, secret: str) -> str:
    signed = f"{header}.{_encoded(content.encode())}".encode()
    return _encoded(hmac.digest(secret.encode(), signed, hashlib.sha256))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
