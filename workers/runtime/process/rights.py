"""What a container's security asks for, as its process is told before it gives up privileges (see `privileges`)."""

from __future__ import annotations

import os
from collections.abc import Iterable

from workers.runtime.features import Feature
from workers.runtime.process import seccomp
from workers.runtime.protocol import ContainerError, ContainerSpec
from workers.runtime.security import ALL_CAPABILITIES, Seccomp, Security

# linux/capability.h, in the order of their numbers.
CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)  # fmt: skip
# What a container has that asks for nothing (https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities).
USUAL = (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
)  # fmt: skip


def features(mode: str, view: frozenset[Feature]) -> frozenset[Feature]:
    """What of isolation a process can have here.

    Args:
        mode: how a private view of the file system is had (see `launch.detect_mode`). view: what that gives.
    """
    # Of the machine's own network, processes and IPC nobody is kept out; nothing in /proc is hidden.
    found = {Feature.HOST_NETWORK, Feature.HOST_PID, Feature.HOST_IPC, Feature.SHARED_PROCESSES}
    # Ports of the machine are carried by the agent itself.
    found.add(Feature.HOST_PORTS)
    found |= {Feature.PROC_MOUNT, Feature.NO_NEW_PRIVILEGES, Feature.CAPABILITIES, Feature.IMAGE_GROUPS}
    if os.geteuid() == 0:
        found |= {Feature.GROUPS, Feature.MORE_CAPABILITIES, Feature.PRIVILEGED}
    if mode:
        found.add(Feature.HOSTNAME)
    if Feature.RECURSIVE_READ_ONLY in view:
        found.add(Feature.READ_ONLY_ROOT)
    if seccomp.available():
        found |= {Feature.SECCOMP, Feature.SECCOMP_PROFILES}
    return frozenset(found)


def told(spec: ContainerSpec, hostname: str, mode: str) -> tuple[str, ...]:
    """What the process is told, as `key=value`.

    Args:
        hostname: the pod's; empty if it is in the machine's network. mode: see `features`.

    Raises:
        ContainerError: CreateContainerError: there is no such capability, or the seccomp profile is not one.
    """
    security, root = spec.security, os.geteuid() == 0
    found: dict[str, str] = {}
    if hostname and mode:
        found["hostname"] = hostname
    if root and (security.groups or spec.run_as_user is not None or spec.run_as_group is not None):
        found["groups"] = ",".join(map(str, security.groups))
    # A user of the machine that is not root has nothing to lose, unless it runs what has more.
    if (root or security.drop) and not spec.privileged:
        found["keep"] = f"{_bits(kept(security)):x}"
    if security.no_new_privileges:
        found["no_new"] = "1"
    if spec.read_only_root:
        found["read_only"] = "1"
    if not spec.privileged and (program := _filter(security)):
        found["filter"] = program.hex()
    return tuple(f"{key}={value}" for key, value in found.items())


def kept(security: Security) -> frozenset[str]:
    """The names of the capabilities that a container may have."""
    found = set() if ALL_CAPABILITIES in security.drop else set(USUAL) - set(security.drop)
    if ALL_CAPABILITIES in security.add:
        return frozenset(CAPABILITIES) - (frozenset(security.drop) - {ALL_CAPABILITIES})
    return frozenset(found | set(security.add))


def _bits(names: Iterable[str]) -> int:
    bits = 0
    for name in names:
        if name not in CAPABILITIES:
            raise ContainerError("CreateContainerError", f"invalid capability: {name!r}")
        bits |= 1 << CAPABILITIES.index(name)
    return bits


def _filter(security: Security) -> bytes:
    if security.seccomp is Seccomp.FILE:
        return seccomp.of_profile(security.profile, kept(security))
    if security.seccomp is Seccomp.DEFAULT and seccomp.available():
        return seccomp.usual(kept(security))
    return b""
