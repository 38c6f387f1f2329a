"""Rules for certificate signing requests (k8s.io/kubernetes/pkg/apis/certificates/validation)."""

from __future__ import annotations

import base64

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import dns_subdomain
from app.trust.requests import USAGES, asked

SHORTEST = 600
LEGACY = "kubernetes.io/legacy-unknown"
_KNOWN = ("Approved", "Denied", "Failed")


def request_spec(spec: Object, path: str, faults: Faults) -> None:
    if spec.get("request"):
        try:
            asked(base64.b64decode(spec["request"]))
        except ValueError as exc:
            faults.invalid(f"{path}.request", spec["request"], str(exc))
    usages = spec.get("usages") or []
    if not usages:
        faults.required(f"{path}.usages")
    for i, usage in enumerate(usages):
        if usage not in USAGES:
            faults.not_supported(f"{path}.usages[{i}]", usage, sorted(USAGES))
        elif usage in usages[:i]:
            faults.duplicate(f"{path}.usages[{i}]", usage)
    signer = spec.get("signerName") or ""
    if signer == LEGACY:
        faults.invalid(
            f"{path}.signerName", signer, "the legacy signerName is not allowed via this API version"
        )
    elif signer:
        _signer(signer, f"{path}.signerName", faults)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < SHORTEST:
        faults.invalid(
            f"{path}.expirationSeconds",
            seconds,
            "may not specify a duration less than 600 seconds (10 minutes)",
        )


def request_update(old: Object, new: Object, faults: Faults) -> None:
    """A certificate stays once it is there, and so do the words of those who approved or denied."""
    before, after = old.get("status") or {}, new.get("status") or {}
    if before.get("certificate") and before["certificate"] != after.get("certificate"):
        faults.invalid("status.certificate", after.get("certificate") or "", "field is immutable")
    conditions = after.get("conditions") or []
    if conditions == (before.get("conditions") or []):
        return
    types = [condition.get("type") for condition in conditions]
    for i, condition in enumerate(conditions):
        path = f"status.conditions[{i}]"
        if not condition.get("type"):
            faults.required(f"{path}.type")
        elif condition["type"] in types[:i]:
            faults.duplicate(f"{path}.type", condition["type"])
        if condition.get("type") in _KNOWN and condition.get("status") != "True":
            faults.not_supported(f"{path}.status", condition.get("status") or "", ("True",))
    if "Approved" in types and "Denied" in types:
        faults.invalid("status.conditions", types, "Approved and Denied conditions are mutually exclusive")
    for condition in before.get("conditions") or ():
        if condition.get("type") in _KNOWN and condition["type"] not in types:
            faults.forbidden(
                "status.conditions", f"updates may not remove a condition of type {condition['type']!r}"
            )


def _signer(name: str, path: str, faults: Faults) -> None:
    domain, slash, rest = name.partition("/")
    if not slash or not rest or "." not in domain:
        faults.invalid(
            path, name, 'must be a fully qualified domain and path of the form "example.com/signer-name"'
        )
        return
    for problem in dns_subdomain(domain):
        faults.invalid(path, name, f"validating label {domain!r}: {problem}")
