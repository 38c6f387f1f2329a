"""The cluster's certificate authority, and the certificates that Beanpole makes itself.

Elliptic keys (P-256): a TLS handshake costs a fraction of what RSA's does, and every client knows them.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_YEARS = 10
SERVER_YEARS = 2
DAY = 86400.0
# A certificate is valid from a little before it is made: clocks differ. Seconds.
BACKDATED = 3600.0


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def make_authority(name: str, now: float) -> Authority:
    """A new self-signed authority, valid for ten years from `now` (seconds since the epoch)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = certificate_builder(subject, subject, key.public_key(), now, CA_YEARS * 365 * DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def make_server_pair(authority: Authority, hosts: Iterable[str], now: float) -> tuple[bytes, bytes]:
    """`(certificate, key)` in PEM for a server reached under `hosts`, names or addresses."""
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "beanpole-api")])
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    return _pair(authority, subject, now, SERVER_YEARS * 365 * DAY, usage, x509.SubjectAlternativeName(names))


def make_client_pair(
    authority: Authority, user: str, groups: Iterable[str], now: float, seconds: float
) -> tuple[bytes, bytes]:
    """`(certificate, key)` in PEM by which a client is `user`, in `groups`, for so many seconds.

    https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
    """
    return _pair(authority, client_subject(user, groups), now, seconds, ExtendedKeyUsageOID.CLIENT_AUTH, None)


def client_subject(user: str, groups: Iterable[str]) -> x509.Name:
    """The subject that stands for a user: the groups are its organizations."""
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def save_authority(authority: Authority, certificate: Path, key: Path) -> None:
    """Write both in PEM; the key so that only its owner can read it."""
    certificate.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    write_private(key, key_pem(authority.key))


def load_authority(certificate: Path, key: Path) -> Authority:
    """Read both back. Raises ValueError if they can't be read as such."""
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError(f"{key} holds neither an elliptic nor an RSA key")
    return Authority(x509.load_pem_x509_certificate(certificate.read_bytes()), loaded)


def pin_of(certificate: x509.Certificate) -> str:
    """What tells this authority from all others: `sha256:<hex>` of its public key, as `kubeadm join
    --discovery-token-ca-cert-hash` takes it."""
    public = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return f"sha256:{hashlib.sha256(public).hexdigest()}"


def pins_of(bundle: bytes) -> list[str]:
    """The pins of all certificates in PEM. Raises ValueError for what is none."""
    return [pin_of(certificate) for certificate in x509.load_pem_x509_certificates(bundle)]


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def certificate_builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    now: float,
    seconds: float,
) -> x509.CertificateBuilder:
    """A certificate that lacks only what it may be used for, and its signature. It ends `seconds` after `now`."""
    start = datetime.fromtimestamp(now, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - timedelta(seconds=BACKDATED))
        .not_valid_after(start + timedelta(seconds=seconds))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """A private key in PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pair(
    authority: Authority,
    subject: x509.Name,
    now: float,
    seconds: float,
    purpose: x509.ObjectIdentifier,
    names: x509.SubjectAlternativeName | None,
) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = certificate_builder(subject, authority.certificate.subject, key.public_key(), now, seconds)
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = builder.add_extension(issuer, critical=False)
    certificate = builder.sign(authority.key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM), key_pem(key)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
