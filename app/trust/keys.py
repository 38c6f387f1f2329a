"""The keys by which service account tokens are signed and verified, and their form in public (JSON Web Key Set)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from app.trust.authority import key_pem, write_private

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Public = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key to verify tokens by. `id` stands in each token that it signed (`kid`)."""

    id: str
    algorithm: str
    key: Public


def make_key(path: Path) -> None:
    """Write a new signing key (P-256) that only its owner can read."""
    write_private(path, key_pem(ec.generate_private_key(ec.SECP256R1())))


def load_private(path: Path) -> Private:
    """The signing key in a PEM file.

    Raises:
        OSError: it can't be read. ValueError: it holds no RSA or elliptic key.
    """
    loaded = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(loaded, Private):
        raise ValueError(f"{path} holds neither an elliptic nor an RSA key")
    return loaded


def load_public(path: Path) -> PublicKey:
    """The key in a PEM file to verify by: a public key, the public half of a private one, or a certificate's.

    Raises:
        OSError: it can't be read. ValueError: it holds no RSA or elliptic key.
    """
    data = path.read_bytes()
    found: Any
    if b"PRIVATE KEY" in data:
        found = load_private(path).public_key()
    elif b"BEGIN CERTIFICATE" in data:
        found = x509.load_pem_x509_certificate(data).public_key()
    else:
        found = serialization.load_pem_public_key(data)
    if not isinstance(found, Public):
        raise ValueError(f"{path} holds neither an elliptic nor an RSA key")
    return public(found)


def public(key: Public) -> PublicKey:
    """A key with its id (as Kubernetes forms it: the SHA-256 of the key in DER) and algorithm.

    Raises:
        ValueError: there is no algorithm for its curve.
    """
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    name = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    if isinstance(key, rsa.RSAPublicKey):
        return PublicKey(name, "RS256", key)
    algorithm = _CURVES.get(key.curve.name)
    if algorithm is None:
        raise ValueError(f"there is no algorithm for keys of the curve {key.curve.name}")
    return PublicKey(name, algorithm, key)


def key_set(keys: Iterable[PublicKey]) -> dict[str, Any]:
    """The keys as a JSON Web Key Set (RFC 7517), for others who verify tokens of this cluster."""
    return {"keys": [_jwk(key) for key in keys]}


def _jwk(key: PublicKey) -> dict[str, Any]:
    if isinstance(key.key, rsa.RSAPublicKey):
        made = RSAAlgorithm.to_jwk(key.key, as_dict=True)
    else:
        made = ECAlgorithm.to_jwk(key.key, as_dict=True)
    made.pop("key_ops", None)
    return {"use": "sig", **made, "kid": key.id, "alg": key.algorithm}
