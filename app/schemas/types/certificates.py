"""certificates.k8s.io/v1: requests for certificates, which somebody approves and a signer grants."""

from __future__ import annotations

from app.schemas.fields import Bytes, Int32, ListOf, MapOf, String, Struct, Time, Type
from app.schemas.meta import ObjectMeta

GROUP = "certificates.k8s.io"
RESOURCE = "certificatesigningrequests.certificates.k8s.io"


class Certificates(Type):
    """Types of this group."""

    package = "io.k8s.api.certificates.v1"


class CertificateSigningRequestSpec(Certificates):
    """What certificate is wanted, and by whom."""

    request = Bytes("The request in PEM (PKCS #10).", required=True, keep_zero=True)
    signerName = String("Who is to sign it.", required=True, keep_zero=True)
    expirationSeconds = Int32("How long it is to be valid, at least 600.", keep_zero=True)
    usages = ListOf(String(go="v1.KeyUsage"), "What it is to be used for.", list_type="atomic")
    username = String("Who asked; set by the server.")
    uid = String("Their uid; set by the server.")
    groups = ListOf(String(), "Their groups; set by the server.", list_type="atomic")
    extra = MapOf(ListOf(String(), go="v1.ExtraValue"), "What else is known of them; set by the server.")


class CertificateSigningRequestCondition(Certificates):
    """Approved, Denied or Failed."""

    type = String("Approved, Denied or Failed.", go="v1.RequestConditionType", required=True, keep_zero=True)
    status = String("True.", go="v1.ConditionStatus", required=True, keep_zero=True)
    reason = String("Why, in one word.")
    message = String("Why, in a sentence.")
    lastUpdateTime = Time("When it was said.")
    lastTransitionTime = Time("When it became so.")


class CertificateSigningRequestStatus(Certificates):
    """What became of a request."""

    conditions = ListOf(
        Struct(CertificateSigningRequestCondition),
        "Whether it was approved or denied, or could not be granted.",
        list_type="map",
        map_keys=("type",),
    )
    certificate = Bytes("The certificate in PEM.")


class CertificateSigningRequest(Certificates):
    """Asks for a certificate."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(CertificateSigningRequestSpec, "What is wanted.", by_value=True, required=True)
    status = Struct(CertificateSigningRequestStatus, "What became of it.", by_value=True)
