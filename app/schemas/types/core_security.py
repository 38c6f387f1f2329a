"""Privileges of pods and containers."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int64, ListOf, String, Struct
from app.schemas.formats import user_id
from app.schemas.types.core_base import Core


class AppArmorProfile(Core):
    """Which AppArmor profile applies."""

    type = String(
        go="v1.AppArmorProfileType",
        keep_zero=True,
        choices=("Localhost", "RuntimeDefault", "Unconfined"),
        needed=True,
    )
    localhostProfile = String(keep_zero=True)


class Capabilities(Core):
    """Linux capabilities added and dropped."""

    add = ListOf(String(go="v1.Capability"))
    drop = ListOf(String(go="v1.Capability"))


class SELinuxOptions(Core):
    """SELinux labels."""

    user = String()
    role = String()
    type = String()
    level = String()


class SeccompProfile(Core):
    """Which seccomp profile applies."""

    type = String(
        go="v1.SeccompProfileType",
        keep_zero=True,
        choices=("Localhost", "RuntimeDefault", "Unconfined"),
        needed=True,
    )
    localhostProfile = String(keep_zero=True)


class WindowsSecurityContextOptions(Core):
    """Settings for Windows containers."""

    gmsaCredentialSpecName = String(keep_zero=True)
    gmsaCredentialSpec = String(keep_zero=True)
    runAsUserName = String(keep_zero=True)
    hostProcess = Boolean(keep_zero=True)


class SecurityContext(Core):
    """Privileges of a container; they override those of the pod."""

    capabilities = Struct(Capabilities)
    privileged = Boolean(keep_zero=True)
    seLinuxOptions = Struct(SELinuxOptions)
    windowsOptions = Struct(WindowsSecurityContextOptions)
    runAsUser = Int64(keep_zero=True, check=user_id)
    runAsGroup = Int64(keep_zero=True, check=user_id)
    runAsNonRoot = Boolean(keep_zero=True)
    readOnlyRootFilesystem = Boolean(keep_zero=True)
    allowPrivilegeEscalation = Boolean(keep_zero=True)
    procMount = String(go="v1.ProcMountType", keep_zero=True, choices=("Default", "Unmasked"))
    seccompProfile = Struct(SeccompProfile)
    appArmorProfile = Struct(AppArmorProfile)


class Sysctl(Core):
    """A kernel parameter."""

    name = String(required=True, keep_zero=True)
    value = String(required=True, keep_zero=True)


class PodSecurityContext(Core):
    """Privileges of all containers of a pod."""

    seLinuxOptions = Struct(SELinuxOptions)
    windowsOptions = Struct(WindowsSecurityContextOptions)
    runAsUser = Int64(keep_zero=True, check=user_id)
    runAsGroup = Int64(keep_zero=True, check=user_id)
    runAsNonRoot = Boolean(keep_zero=True)
    supplementalGroups = ListOf(Int64())
    supplementalGroupsPolicy = String(
        go="v1.SupplementalGroupsPolicy", keep_zero=True, choices=("Merge", "Strict")
    )
    fsGroup = Int64(keep_zero=True, check=user_id)
    sysctls = ListOf(Struct(Sysctl))
    fsGroupChangePolicy = String(
        go="v1.PodFSGroupChangePolicy", keep_zero=True, choices=("Always", "OnRootMismatch")
    )
    seccompProfile = Struct(SeccompProfile)
    appArmorProfile = Struct(AppArmorProfile)
    seLinuxChangePolicy = String(go="v1.PodSELinuxChangePolicy", keep_zero=True)
