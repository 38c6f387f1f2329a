"""Filters of system calls, as programs for the kernel; made by libseccomp, if the machine has it.

The usual filter keeps from a container what Docker's own profile is known to block, as long as the container does not
have the capability for it (https://docs.docker.com/engine/security/seccomp/#significant-syscalls-blocked-by-the-default-profile).
"""

from __future__ import annotations

import errno
import functools
import json
import os
from collections.abc import Collection
from typing import Any

from workers.runtime.protocol import ContainerError

# By the capability that lets a container have them after all; none does for the last.
BLOCKED: dict[str, tuple[str, ...]] = {
    "SYS_ADMIN": (
        "bpf", "clone_ns", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick", "lookup_dcookie", "mount",
        "mount_setattr", "move_mount", "open_tree", "perf_event_open", "pivot_root", "quotactl", "quotactl_fd", "setns",
        "swapoff", "swapon", "umount", "umount2", "unshare",
    ),
    "SYS_BOOT": ("kexec_file_load", "kexec_load", "reboot"),
    "SYS_MODULE": ("create_module", "delete_module", "finit_module", "init_module", "query_module"),
    "SYS_PACCT": ("acct",),
    "SYS_PTRACE": ("kcmp", "process_madvise", "process_vm_readv", "process_vm_writev"),
    "SYS_RAWIO": ("ioperm", "iopl"),
    "SYS_TIME": ("clock_adjtime", "clock_settime", "settimeofday", "stime"),
    "SYS_NICE": ("get_mempolicy", "mbind", "migrate_pages", "move_pages", "set_mempolicy"),
    "DAC_READ_SEARCH": ("open_by_handle_at",),
    "": (
        "_sysctl", "add_key", "keyctl", "nfsservctl", "request_key", "sysfs", "uselib", "userfaultfd", "ustat", "vm86",
        "vm86old",
    ),
}  # fmt: skip
# clone(2) with a flag that makes a namespace. Of clone3(2) the flags can't be seen: programs fall back to clone.
_NAMESPACES = 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000 | 0x00020000

# Programs of other architectures that a machine runs as well. Without rules for them they would be killed.
COMPATIBLE = {"x86_64": ("X86", "X32"), "aarch64": ("ARM",)}
# libseccomp's number of a call that there is nowhere. Below are those that other architectures have.
UNKNOWN = -1


@functools.cache
def available() -> bool:
    """Whether filters can be made here."""
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        return False
    return True


def usual(capabilities: Collection[str]) -> bytes:
    """The usual filter of a container with these capabilities."""
    return _usual(frozenset(each for each in capabilities if each in BLOCKED))


@functools.cache
def _usual(capabilities: frozenset[str]) -> bytes:
    import pyseccomp as library

    made = _begun(library, library.ALLOW)
    for capability, calls in BLOCKED.items():
        if capability in capabilities:
            continue
        for call in calls:
            if call == "clone_ns":
                flags = 1 if os.uname().machine.startswith("s390") else 0
                for bit in (1 << n for n in range(32) if _NAMESPACES >> n & 1):
                    made.add_rule(
                        library.ERRNO(errno.EPERM), "clone", library.Arg(flags, library.MASKED_EQ, bit, bit)
                    )
                made.add_rule(library.ERRNO(errno.ENOSYS), "clone3")
            else:
                _refuse(library, made, library.ERRNO(errno.EPERM), call)
    return _program(made)


@functools.lru_cache(maxsize=64)
def of_profile(text: str, capabilities: frozenset[str]) -> bytes:
    """The filter that a profile in Docker's format describes.

    Raises:
        ContainerError: CreateContainerError: it is no such profile.
    """
    import pyseccomp as library

    try:
        profile = json.loads(text)
        made = _begun(library, _action(library, profile["defaultAction"], profile.get("defaultErrnoRet")))
        for rule in profile.get("syscalls") or ():
            if _applies(rule, capabilities):
                action = _action(library, rule["action"], rule.get("errnoRet"))
                arguments = [_argument(library, each) for each in rule.get("args") or ()]
                for call in rule.get("names") or [rule["name"]]:
                    _refuse(library, made, action, call, *arguments)
        return _program(made)
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RuntimeError) as exc:
        raise ContainerError("CreateContainerError", f"the seccomp profile can't be used: {exc!r}") from exc


def _begun(library: Any, action: Any) -> Any:
    """A filter without rules, for all that this machine runs."""
    made = library.SyscallFilter(action)
    for arch in COMPATIBLE.get(os.uname().machine, ()):
        made.add_arch(getattr(library.Arch, arch))
    return made


def _applies(rule: dict[str, Any], capabilities: frozenset[str]) -> bool:
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}

    def has(names: list[str]) -> list[bool]:
        return [name.removeprefix("CAP_") in capabilities for name in names]

    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    if includes.get("caps") and not all(has(includes["caps"])):
        return False
    if excludes.get("caps") and any(has(excludes["caps"])):
        return False
    if includes.get("arches") and machine not in includes["arches"]:
        return False
    return machine not in (excludes.get("arches") or ())


def _action(library: Any, name: str, number: int | None) -> Any:
    kind = name.removeprefix("SCMP_ACT_")
    if kind == "ERRNO":
        return library.ERRNO(errno.EPERM if number is None else number)
    if kind == "TRACE":
        return library.TRACE(errno.EPERM if number is None else number)
    return getattr(library, {"KILL_THREAD": "KILL"}.get(kind, kind))


def _argument(library: Any, told: dict[str, Any]) -> Any:
    compare = getattr(library, told["op"].removeprefix("SCMP_CMP_"))
    return library.Arg(told["index"], compare, told.get("value") or 0, told.get("valueTwo") or 0)


def _refuse(library: Any, made: Any, action: Any, call: str, *arguments: Any) -> None:
    """Add a rule; a call that this machine does not have needs none, and one like the default is none."""
    if library.resolve_syscall(library.system_arch(), call) == UNKNOWN:
        return
    try:
        made.add_rule(action, call, *arguments)
    except (PermissionError, OSError) as exc:
        # libseccomp's way of saying that this is the default anyway.
        if exc.errno not in (errno.EACCES, errno.EPERM):
            raise


def _program(made: Any) -> bytes:
    told = os.memfd_create("beanpole-seccomp")
    with open(told, "w+b") as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()
