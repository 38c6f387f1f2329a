"""Rules for security contexts (k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

import re

from app.objects.change import Object
from app.schemas import paths
from app.schemas.faults import Faults
from app.schemas.formats import user_id

SYSCTL_LIMIT = 253
PROFILE_LIMIT = 4095
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL_FORM = rf"({_SEGMENT}[\./])*{_SEGMENT}"
_SYSCTL = re.compile(_SYSCTL_FORM)
_NO_ESCALATION = "cannot set `allowPrivilegeEscalation` to false and "


def container(context: Object, path: str, faults: Faults) -> None:
    if context.get("allowPrivilegeEscalation") is not False:
        return
    if context.get("privileged"):
        faults.invalid(path, context, f"{_NO_ESCALATION}`privileged` to true")
    if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
        faults.invalid(path, context, f"{_NO_ESCALATION}`capabilities.Add` CAP_SYS_ADMIN")


def pod(context: Object, path: str, faults: Faults) -> None:
    for i, group in enumerate(context.get("supplementalGroups") or ()):
        faults.all_invalid(f"{path}.supplementalGroups[{i}]", group, user_id(group))
    seen: set[str] = set()
    for i, sysctl in enumerate(context.get("sysctls") or ()):
        where, name = f"{path}.sysctls[{i}].name", sysctl.get("name") or ""
        if name and not (len(name) <= SYSCTL_LIMIT and _SYSCTL.fullmatch(name)):
            faults.invalid(
                where, name, f"must have at most {SYSCTL_LIMIT} characters and match regex ^{_SYSCTL_FORM}$"
            )
        elif name in seen:
            faults.duplicate(where, name)
        seen.add(name)
    policy = context.get("seLinuxChangePolicy")
    if policy is not None and policy not in ("MountOption", "Recursive"):
        faults.not_supported(f"{path}.seLinuxChangePolicy", policy, ("MountOption", "Recursive"))


def seccomp(profile: Object, path: str, faults: Faults) -> None:
    kind, local = profile.get("type"), profile.get("localhostProfile")
    if not kind:
        faults.required(f"{path}.type", "type is required when seccompProfile is set")
    if kind != "Localhost":
        if local is not None:
            faults.invalid(
                f"{path}.localhostProfile", profile, "can only be set when seccomp type is Localhost"
            )
    elif local is None:
        faults.required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost")
    else:
        paths.descending(local, f"{path}.localhostProfile", faults)


def app_armor(profile: Object, path: str, faults: Faults) -> None:
    kind, local = profile.get("type"), profile.get("localhostProfile")
    where = f"{path}.localhostProfile"
    if not kind:
        faults.required(f"{path}.type", "type is required when appArmorProfile is set")
    elif kind == "Localhost":
        if local is None or (local == local.strip() and not local):
            faults.required(where, "must be set when AppArmor type is Localhost")
        elif local != local.strip():
            faults.invalid(where, local, "must not be padded with whitespace")
        if len(local or "") > PROFILE_LIMIT:
            faults.too_long(where, PROFILE_LIMIT)
    elif kind in ("RuntimeDefault", "Unconfined") and local is not None:
        faults.invalid(where, local, "can only be set when AppArmor type is Localhost")
