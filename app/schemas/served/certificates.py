"""API group certificates.k8s.io."""

from __future__ import annotations

from app.schemas import certificates, columns_certificates
from app.schemas.kind import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        certificates.GROUP, "v1", "CertificateSigningRequest", "certificatesigningrequests",
        "certificatesigningrequest", False, certificates.CertificateSigningRequest,
        short_names=("csr",), subresources=frozenset({"status", "approval"}),
        columns=columns_certificates.REQUEST,
    ),
)  # fmt: skip
