"""The restricted level: current practice of hardening pods.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from app.objects.change import Object
from app.registry.admission.pod_security.violation import (
    Violation,
    containers,
    named,
    plural,
    quoted,
    security,
    unique,
)

VOLUMES = frozenset(
    {
        "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "image",
    }
)  # fmt: skip
SECCOMP = ("RuntimeDefault", "Localhost")


def _windows(pod: Object) -> bool:
    return ((pod["spec"].get("os") or {}).get("name")) == "windows"


def privilege_escalation(pod: Object) -> Violation | None:
    if _windows(pod):
        return None
    bad = [
        c["name"] for c in containers(pod["spec"]) if security(c).get("allowPrivilegeEscalation") is not False
    ]
    if not bad:
        return None
    return Violation(
        "allowPrivilegeEscalation != false",
        f"{named(bad)} must set securityContext.allowPrivilegeEscalation=false",
    )


def capabilities(pod: Object) -> Violation | None:
    if _windows(pod):
        return None
    keeping, adding, added = [], [], []
    for container in containers(pod["spec"]):
        asked = security(container).get("capabilities") or {}
        if "ALL" not in (asked.get("drop") or ()):
            keeping.append(container["name"])
        more = [name for name in asked.get("add") or () if name != "NET_BIND_SERVICE"]
        if more:
            adding.append(container["name"])
            added += more
    found = []
    if keeping:
        found.append(f'{named(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        listed = quoted(unique(added))
        found.append(f"{named(adding)} must not include {listed} in securityContext.capabilities.add")
    return Violation("unrestricted capabilities", "; ".join(found)) if found else None


def volume_types(pod: Object) -> Violation | None:
    bad, kinds = [], []
    for volume in pod["spec"].get("volumes") or ():
        wrong = [kind for kind in volume if kind != "name" and kind not in VOLUMES]
        if wrong:
            bad.append(volume["name"])
            kinds += wrong
    if not bad:
        return None
    listed = unique(kinds)
    return Violation(
        "restricted volume types",
        f"{named(bad, 'volume', 'volumes')} {'uses' if len(bad) == 1 else 'use'} restricted volume "
        f"{plural('type', len(listed))} {quoted(listed)}",
    )


def run_as_non_root(pod: Object) -> Violation | None:
    spec = pod["spec"]
    whole = security(spec).get("runAsNonRoot")
    explicit, silent = [], []
    for container in containers(spec):
        own = security(container).get("runAsNonRoot")
        if own is False:
            explicit.append(container["name"])
        elif own is None and whole is not True:
            silent.append(container["name"])
    reason = "runAsNonRoot != true"
    if whole is False or explicit:
        who = ["pod"] if whole is False else []
        if explicit:
            who.append(named(explicit))
        return Violation(reason, f"{' and '.join(who)} must not set securityContext.runAsNonRoot=false")
    if silent:
        return Violation(reason, f"pod or {named(silent)} must set securityContext.runAsNonRoot=true")
    return None


def run_as_user(pod: Object) -> Violation | None:
    spec = pod["spec"]
    found = ["pod"] if security(spec).get("runAsUser") == 0 else []
    bad = [c["name"] for c in containers(spec) if security(c).get("runAsUser") == 0]
    if bad:
        found.append(named(bad))
    return Violation("runAsUser=0", f"{' and '.join(found)} must not set runAsUser=0") if found else None


def seccomp(pod: Object) -> Violation | None:
    if _windows(pod):
        return None
    spec = pod["spec"]
    whole = (security(spec).get("seccompProfile") or {}).get("type")
    explicit, silent = [], []
    for container in containers(spec):
        own = (security(container).get("seccompProfile") or {}).get("type")
        if own is not None and own not in SECCOMP:
            explicit.append(container["name"])
        elif own is None and whole not in SECCOMP:
            silent.append(container["name"])
    if (whole is not None and whole not in SECCOMP) or explicit:
        who = ["pod"] if whole is not None and whole not in SECCOMP else []
        if explicit:
            who.append(named(explicit))
        kinds = unique(
            (security(of).get("seccompProfile") or {})["type"]
            for of in (spec, *containers(spec))
            if (security(of).get("seccompProfile") or {}).get("type", SECCOMP[0]) not in SECCOMP
        )
        return Violation(
            "seccompProfile",
            f"{' and '.join(who)} must not set securityContext.seccompProfile.type to {quoted(kinds)}",
        )
    if silent:
        return Violation(
            "seccompProfile",
            f"pod or {named(silent)} must set securityContext.seccompProfile.type to "
            '"RuntimeDefault" or "Localhost"',
        )
    return None


CHECKS = (privilege_escalation, capabilities, volume_types, run_as_non_root, run_as_user, seccomp)
