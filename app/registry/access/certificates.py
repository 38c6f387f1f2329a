"""Who approves or signs a certificate signing request must be allowed to for its signer, besides being allowed to
write to it (Kubernetes's admission plugins CertificateApproval and CertificateSigning).

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#authorization
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.base.errors import Forbidden
from app.objects.change import Object
from app.registry.access.attributes import MASTERS, Asked, Subject
from app.registry.request import Request
from app.schemas.kinds import Kind

if TYPE_CHECKING:
    from app.registry.registry import Registry

GROUP = "certificates.k8s.io"
REQUESTS = f"certificatesigningrequests.{GROUP}"
_APPROVING = ("Approved", "Denied")


def check(registry: Registry, request: Request, kind: Kind, old: Object | None, new: Object | None) -> None:
    """Raises Forbidden if the user may not decide on this request."""
    if old is None or new is None or MASTERS in request.groups:
        return
    for verb, before, after in (
        ("approve", _conditions(old, approving=True), _conditions(new, approving=True)),
        ("sign", _signed(old), _signed(new)),
    ):
        if before != after and not _may(registry, request, verb, old):
            signer, name = old["spec"].get("signerName", ""), old["metadata"]["name"]
            raise Forbidden(
                f'{REQUESTS} "{name}" is forbidden: user not permitted to {verb} requests with signerName "{signer}"',
                group=GROUP,
                resource=kind.plural,
                name=name,
            )


def _may(registry: Registry, request: Request, verb: str, csr: Object) -> bool:
    """For this very signer, or for all of its domain."""
    signer = str(csr["spec"].get("signerName", ""))
    subject = Subject(request.user, request.groups, request.uid)
    return any(
        registry.access.decide(subject, Asked(verb, GROUP, "signers", name=name)).allowed
        for name in (signer, f"{signer.partition('/')[0]}/*")
    )


def _signed(csr: Object) -> tuple[object, list[Object]]:
    return (csr.get("status") or {}).get("certificate"), _conditions(csr, approving=False)


def _conditions(csr: Object, *, approving: bool) -> list[Object]:
    found = (csr.get("status") or {}).get("conditions") or []
    return [each for each in found if (each.get("type") in _APPROVING) is approving]
