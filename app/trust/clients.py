"""Client certificates: whom one stands for, if an authority of ours signed it.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.base.errors import BeanpoleError

Authorities = Sequence[x509.Certificate]
_CLIENT = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


class BadCertificate(BeanpoleError):
    """A certificate that proves nothing here; says why."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a certificate stands for, and from when until when. Seconds since the epoch."""

    user: str
    groups: tuple[str, ...]
    begins: float
    ends: float
    fingerprint: str


def load_authorities(bundle: bytes) -> Authorities:
    """The authorities in PEM. Raises ValueError for what is none."""
    return tuple(x509.load_pem_x509_certificates(bundle))


def bearer_of(der: bytes, authorities: Authorities) -> Bearer:
    """Whom a certificate (DER) stands for; its times are for the caller to compare.

    Only what an authority signed itself is believed: intermediate ones are not followed.

    Raises:
        BadCertificate: none of the authorities signed it, or not for a client, or it names nobody.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        if not any(_signed(certificate, authority) for authority in authorities):
            raise BadCertificate("x509: certificate signed by unknown authority")
        purposes = _purposes(certificate)
        subject = certificate.subject
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise BadCertificate(f"x509: {exc}") from None
    if purposes is not None and not purposes & _CLIENT:
        raise BadCertificate("x509: certificate specifies an incompatible key usage")
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not names or not str(names[-1].value):
        raise BadCertificate("x509: certificate has no common name")
    organizations = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return Bearer(
        str(names[-1].value),
        tuple(str(part.value) for part in organizations),
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
        hashlib.sha256(der).hexdigest(),
    )


def lifetime_of(pem: bytes) -> tuple[float, float]:
    """From when until when a certificate in PEM is valid, in seconds since the epoch. Raises ValueError."""
    certificate = x509.load_pem_x509_certificate(pem)
    return certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _purposes(certificate: x509.Certificate) -> set[x509.ObjectIdentifier] | None:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return None
