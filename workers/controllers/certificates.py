"""Certificate signing requests: nodes' are approved by themselves, approved ones are signed, old ones removed.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

from app.base.clock import parse_rfc3339, rfc3339
from app.objects import bootstrap_token, conditions, deletion
from app.objects.change import Object, ReadView, update
from app.objects.meta import is_deleting
from app.trust.clients import lifetime_of
from app.trust.requests import NODE_CLIENT, NODES, SIGNERS, Asked, asked, refusal
from workers.controllers.interests import itself
from workers.reconcile.plan import NOTHING, Plan, Role

RESOURCE = "certificatesigningrequests.certificates.k8s.io"
# How long a request is kept that was decided, and one that nobody decides. Seconds. (pkg/controller/certificates/cleaner)
DECIDED = 3600.0
UNDECIDED = 24 * 3600.0

# Makes the certificate: of a request in PEM, its usages, at a time (seconds since the epoch), for so many seconds
# (None: as long as any). It is handed in, as clock and identities are: the authority's key is no matter of plans.
Sign = Callable[[bytes, Iterable[str], float, int | None], bytes]


def roles(sign: Sign | None) -> tuple[Role, ...]:
    """What happens to requests. Without `sign` they are approved and removed, and somebody else has to sign them."""
    names = (
        ("certificate-approver-controller", approve),
        ("certificate-cleaner-controller", clean),
        *((("certificate-signer-controller", signer(sign)),) if sign else ()),
    )
    return tuple(
        Role(name, plan, (itself(RESOURCE),), lambda view: view.keys(RESOURCE)) for name, plan in names
    )


def approve(view: ReadView, key: str, now: float) -> Plan:
    """Approve a client certificate that a machine asks for which shows a bootstrap token, or that a node asks
    for itself."""
    request = _undone(view, key)
    if request is None or conditions.get(request, "Approved") or conditions.get(request, "Denied"):
        return NOTHING
    spec = request["spec"]
    if spec.get("signerName") != NODE_CLIENT:
        return NOTHING
    wanted = _asked(request)
    if wanted is None or refusal(NODE_CLIENT, wanted, spec.get("usages") or ()):
        return NOTHING
    groups = spec.get("groups") or ()
    if NODES in groups and spec.get("username") == wanted.common_name:
        message = "Auto approving self kubelet client certificate: a node renews its own."
    elif bootstrap_token.NODE_GROUP in groups:
        message = "Auto approving kubelet client certificate: asked for with a bootstrap token."
    else:
        return NOTHING
    return _decided(request, "Approved", "AutoApproved", message, now)


def signer(sign: Sign) -> Callable[[ReadView, str, float], Plan]:
    """The plan that grants what was approved, by `sign`."""

    def plan(view: ReadView, key: str, now: float) -> Plan:
        request = _undone(view, key)
        if (
            request is None
            or not conditions.is_true(request, "Approved")
            or conditions.get(request, "Failed")
        ):
            return NOTHING
        spec = request["spec"]
        if spec.get("signerName") not in SIGNERS:
            return NOTHING
        wanted = _asked(request)
        why = (
            "the request can't be read"
            if wanted is None
            else refusal(spec["signerName"], wanted, spec.get("usages") or ())
        )
        if why:
            return _decided(request, "Failed", "SignerValidationFailure", why, now)
        try:
            made = sign(_request(request), spec.get("usages") or (), now, spec.get("expirationSeconds"))
        except ValueError as exc:
            return _decided(request, "Failed", "SigningError", str(exc), now)
        status = {**(request.get("status") or {}), "certificate": base64.b64encode(made).decode()}
        return Plan((update(RESOURCE, {**request, "status": status}),), reason="it was approved")

    return plan


def clean(view: ReadView, key: str, now: float) -> Plan:
    """Remove a request whose time is over."""
    request = view.get(RESOURCE, key)
    if request is None or is_deleting(request):
        return NOTHING
    ends, why = _end(request)
    if ends > now:
        return Plan(requeue_after=ends - now)
    gone = deletion.removal(RESOURCE, request, now)
    return Plan((gone,) if gone else (), reason=why)


def _end(request: Object) -> tuple[float, str]:
    """When a request is over, and why. Seconds since the epoch."""
    status = request.get("status") or {}
    made = parse_rfc3339(request["metadata"]["creationTimestamp"])
    if status.get("certificate"):
        try:
            _, expires = lifetime_of(base64.b64decode(status["certificate"]))
        except ValueError:
            expires = made
    else:
        expires = float("inf")
    decided = [
        parse_rfc3339(condition.get("lastUpdateTime") or request["metadata"]["creationTimestamp"])
        for condition in status.get("conditions") or ()
        if condition.get("type") in ("Denied", "Failed") or status.get("certificate")
    ]
    if decided:
        return min(max(decided) + DECIDED, expires), "it was decided long ago"
    return min(made + UNDECIDED, expires), "nobody decided it"


def _undone(view: ReadView, key: str) -> Object | None:
    request = view.get(RESOURCE, key)
    if request is None or is_deleting(request) or (request.get("status") or {}).get("certificate"):
        return None
    return request


def _request(request: Object) -> bytes:
    return base64.b64decode(request["spec"].get("request") or "")


def _asked(request: Object) -> Asked | None:
    try:
        return asked(_request(request))
    except ValueError:
        return None


def _decided(request: Object, kind: str, reason: str, message: str, now: float) -> Plan:
    status = request.get("status") or {}
    said = conditions.merged(
        status.get("conditions") or (),
        kind,
        "True",
        now,
        reason=reason,
        message=message,
        lastUpdateTime=rfc3339(now),
    )
    return Plan((update(RESOURCE, {**request, "status": {**status, "conditions": said}}),), reason=message)
