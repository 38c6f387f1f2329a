"""The groups by which users prove who they are."""

from __future__ import annotations

TABLES = {
    "io.k8s.api.authentication.v1": """
BoundObjectReference: kind=1 apiVersion=2 name=3 uid=4
SelfSubjectReview: metadata=1 status=2
SelfSubjectReviewStatus: userInfo=1
TokenRequest: metadata=1 spec=2 status=3
TokenRequestSpec: audiences=1 boundObjectRef=3 expirationSeconds=4
TokenRequestStatus: token=1 expirationTimestamp=2
TokenReview: metadata=1 spec=2 status=3
TokenReviewSpec: token=1 audiences=2
TokenReviewStatus: authenticated=1 user=2 error=3 audiences=4
UserInfo: username=1 uid=2 groups=3 extra=4
""",
    "io.k8s.api.certificates.v1": """
CertificateSigningRequest: metadata=1 spec=2 status=3
CertificateSigningRequestCondition: type=1 reason=2 message=3 lastUpdateTime=4 lastTransitionTime=5 status=6
CertificateSigningRequestSpec: request=1 username=2 uid=3 groups=4 usages=5 extra=6 signerName=7
    expirationSeconds=8
CertificateSigningRequestStatus: conditions=1 certificate=2
""",
}
