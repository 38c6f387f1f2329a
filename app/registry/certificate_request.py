"""What is particular to certificate signing requests: who asked stands in them, approval and the certificate come by
subresources of their own.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
"""

from __future__ import annotations

import base64

from app.base.clock import rfc3339
from app.base.errors import Forbidden
from app.objects.change import Object
from app.registry.request import Request
from app.trust.requests import CLIENT, asked

RESOURCE = "certificatesigningrequests.certificates.k8s.io"
MASTERS = "system:masters"
_SET_BY_SERVER = ("username", "uid", "groups", "extra")
_DECISIONS = ("Approved", "Denied")


def requested(obj: Object, request: Request) -> Object:
    """A new request, in which stands who asked.

    Raises:
        Forbidden: it asks to be an administrator, whom no signer makes (admission plugin
            CertificateSubjectRestriction).
    """
    spec = {k: v for k, v in (obj.get("spec") or {}).items() if k not in _SET_BY_SERVER}
    who = {
        "username": request.user,
        "uid": request.uid,
        "groups": list(request.groups),
        "extra": {key: list(values) for key, values in request.extra.items()},
    }
    if spec.get("signerName") == CLIENT and MASTERS in _organizations(spec):
        raise Forbidden(
            f'certificatesigningrequests.certificates.k8s.io "{obj["metadata"].get("name") or ""}" is forbidden: '
            f"use of {CLIENT} signer with {MASTERS} group is not allowed",
            group="certificates.k8s.io",
            resource="certificatesigningrequests",
            name=obj["metadata"].get("name") or "",
        )
    return {**obj, "spec": {**spec, **{k: v for k, v in who.items() if v}}}


def unchanged_spec(old: Object, new: Object) -> Object:
    """A request is what was asked once: its spec stays."""
    return {**new, "spec": old["spec"]}


def approval(old: Object, new: Object, now: float) -> Object:
    """By `approval` only conditions change."""
    conditions = (new.get("status") or {}).get("conditions")
    return _with(old, {**(old.get("status") or {}), "conditions": _stamped(old, conditions, now)})


def status(old: Object, new: Object, now: float) -> Object:
    """By `status` everything in it changes but who approved or denied."""
    given = new.get("status") or {}
    decided = [c for c in (old.get("status") or {}).get("conditions") or () if c.get("type") in _DECISIONS]
    others = [c for c in given.get("conditions") or () if c.get("type") not in _DECISIONS]
    return _with(old, {**given, "conditions": _stamped(old, [*decided, *others], now)})


def _with(old: Object, status: Object) -> Object:
    kept = {k: v for k, v in old.items() if k != "status"}
    return {**kept, "status": {k: v for k, v in status.items() if v}}


def _stamped(old: Object, conditions: list[Object] | None, now: float) -> list[Object]:
    """The conditions with their times, where whoever set them left them out."""
    before = {c.get("type"): c for c in (old.get("status") or {}).get("conditions") or ()}
    result = []
    for condition in conditions or ():
        known = before.get(condition.get("type")) or {}
        filled = dict(condition)
        filled.setdefault("lastUpdateTime", rfc3339(now))
        if "lastTransitionTime" not in filled:
            same = known.get("status") == condition.get("status") and "lastTransitionTime" in known
            filled["lastTransitionTime"] = known["lastTransitionTime"] if same else rfc3339(now)
        result.append(filled)
    return result


def _organizations(spec: Object) -> tuple[str, ...]:
    try:
        return asked(base64.b64decode(spec.get("request") or "")).organizations
    except ValueError:
        return ()  # validation says what is wrong with it
