"""API group certificates.k8s.io."""

from __future__ import annotations

from app.schemas.columns import certificates as columns_certificates
from app.schemas.kind import Kind
from app.schemas.types import certificates

KINDS: tuple[Kind, ...] = (
    Kind(
        certificates.GROUP, "v1", "CertificateSigningRequest", "certificatesigningrequests",
        "certificatesigningrequest", False, certificates.CertificateSigningRequest,
        short_names=("csr",), subresources=frozenset({"status", "approval"}),
        columns=columns_certificates.REQUEST,
    ),
)  # fmt: skip
