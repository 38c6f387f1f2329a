"""What this machine has, read from /proc and /etc, for `node.status`."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from workers.runtime.protocol import NodeInfo

# Kubernetes's own default (kubelet --max-pods).
MAX_PODS = 110

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


def info(runtime_version: str, disk: Path, max_pods: int = MAX_PODS) -> NodeInfo:
    """The machine as a node. `disk`: a folder on the file system whose size counts."""
    while not disk.exists():
        disk = disk.parent
    return NodeInfo(
        cpu_millis=len(os.sched_getaffinity(0)) * 1000,
        memory_bytes=_memory(),
        disk_bytes=_disk(disk),
        max_pods=max_pods,
        runtime_version=runtime_version,
        kernel_version=platform.release(),
        os_image=_os_image(),
        architecture=architecture(platform.machine()),
        machine_id=_line("/etc/machine-id") or boot_id(),
        boot_id=boot_id(),
    )


def boot_id() -> str:
    """Changes with every boot: pids and start times mean nothing across one."""
    return _line("/proc/sys/kernel/random/boot_id")


def architecture(machine: str) -> str:
    """The kernel's name of a machine, as Kubernetes has it in `kubernetes.io/arch`."""
    return _ARCHITECTURES.get(machine, machine)


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _disk(folder: Path) -> int:
    stat = os.statvfs(folder)
    return stat.f_blocks * stat.f_frsize


def _os_image() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return platform.system()


def _line(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
