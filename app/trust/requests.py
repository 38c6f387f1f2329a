"""Certificate signing requests (PKCS #10): what one asks for, whether a signer of Kubernetes may grant it, and the
certificate that grants it.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.trust.authority import Authority, certificate_builder, client_subject, key_pem

CLIENT = "kubernetes.io/kube-apiserver-client"
NODE_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
NODE_SERVING = "kubernetes.io/kubelet-serving"
SIGNERS = (CLIENT, NODE_CLIENT, NODE_SERVING)
NODES = "system:nodes"
NODE_PREFIX = "system:node:"
# No certificate is given for longer. Seconds. (kube-controller-manager's --cluster-signing-duration)
LONGEST = 365 * 86400
# What a certificate may be used for, in the words of the API.
KEY_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
EXTENDED_USAGES = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
}
USAGES = (*KEY_USAGES, *EXTENDED_USAGES)
_NODE_USAGES = ({"digital signature", "key encipherment"}, {"digital signature"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for: a subject, and names it is to be known by."""

    common_name: str
    organizations: tuple[str, ...]
    dns: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()


def asked(pem: bytes) -> Asked:
    """What a request in PEM asks for.

    Raises:
        ValueError: it is none, or not signed by the key in it; says so in Kubernetes's words.
    """
    request = _parsed(pem)
    names = _names(request)
    return Asked(
        _first(request.subject, NameOID.COMMON_NAME),
        tuple(str(part.value) for part in request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)),
        tuple(names.get_values_for_type(x509.DNSName)) if names else (),
        tuple(str(address) for address in names.get_values_for_type(x509.IPAddress)) if names else (),
        tuple(names.get_values_for_type(x509.RFC822Name)) if names else (),
        tuple(names.get_values_for_type(x509.UniformResourceIdentifier)) if names else (),
    )


def refusal(signer: str, wanted: Asked, usages: Collection[str]) -> str:
    """Why the signer may not grant this; empty if it may."""
    given = set(usages)
    if signer == CLIENT:
        if "client auth" not in given or given - {"client auth", "digital signature", "key encipherment"}:
            return f"invalid usages for client certificate: {_listed(usages)}"
        return ""
    purpose = "client auth" if signer == NODE_CLIENT else "server auth"
    if wanted.organizations != (NODES,):
        return "subject organization is not system:nodes"
    if not wanted.common_name.startswith(NODE_PREFIX):
        return "subject common name does not begin with system:node: "
    if wanted.emails:
        return "email subjectAltNames are not allowed"
    if wanted.uris:
        return "URI subjectAltNames are not allowed"
    if signer == NODE_CLIENT and (wanted.dns or wanted.addresses):
        return "DNS and IP subjectAltNames are not allowed"
    if signer == NODE_SERVING and not (wanted.dns or wanted.addresses):
        return "DNS or IP subjectAltName is required"
    if given not in [{*each, purpose} for each in _NODE_USAGES]:
        return f"usages did not match {_listed([*sorted(_NODE_USAGES[0]), purpose])}"
    return ""


def sign(authority: Authority, pem: bytes, usages: Iterable[str], now: float, seconds: int | None) -> bytes:
    """The certificate in PEM that grants a request, for `seconds` or as long as any.

    Raises:
        ValueError: the request can't be read.
    """
    request = _parsed(pem)
    key = request.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise ValueError("the request's key is neither an elliptic nor an RSA one")
    ends = authority.certificate.not_valid_after_utc.timestamp() - now
    lasts = min(LONGEST if seconds is None else seconds, LONGEST, ends)
    builder = certificate_builder(request.subject, authority.certificate.subject, key, now, lasts)
    names = _names(request)
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    usages = list(usages)
    bits = {KEY_USAGES[usage] for usage in usages if usage in KEY_USAGES}
    if bits:
        builder = builder.add_extension(
            x509.KeyUsage(**{bit: bit in bits for bit in KEY_USAGES.values()}), critical=True
        )
    purposes = list(dict.fromkeys(EXTENDED_USAGES[usage] for usage in usages if usage in EXTENDED_USAGES))
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    certificate = builder.add_extension(issuer, critical=False).sign(authority.key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM)


def make_request(user: str, groups: Iterable[str]) -> tuple[bytes, bytes]:
    """`(request, key)` in PEM for a client certificate by which somebody is `user` in `groups`."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(client_subject(user, groups))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), key_pem(key)


def _parsed(pem: bytes) -> x509.CertificateSigningRequest:
    if (
        b"-----BEGIN CERTIFICATE REQUEST-----" not in pem
        and b"-----BEGIN NEW CERTIFICATE REQUEST-----" not in pem
    ):
        raise ValueError("PEM block type must be CERTIFICATE REQUEST")
    try:
        request = x509.load_pem_x509_csr(pem)
        valid = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ValueError(f"the request can't be read: {exc}") from None
    if not valid:
        raise ValueError("the request is not signed by its own key")
    return request


def _names(request: x509.CertificateSigningRequest) -> x509.SubjectAlternativeName | None:
    try:
        return request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _first(subject: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = subject.get_attributes_for_oid(oid)
    return str(found[-1].value) if found else ""


def _listed(words: Iterable[str]) -> str:
    return "[" + " ".join(words) + "]"
