"""Which kernel settings a pod may have of its own. Pure; the list and the words are kubelet's (pkg/kubelet/sysctl).

https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls
"""

from __future__ import annotations

from app.objects.change import Object
from workers.agent.admitting.admission import Refusal

SAFE = frozenset(
    (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    )
)
# Those that a namespace has of its own; any other would be the machine's.
OF_IPC = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")
OF_NETWORK = ("net.",)
_SWAPPED = str.maketrans("./", "/.")


def refusal(pod: Object, allowed: str) -> Refusal | None:
    """Why the pod may not have the settings it asks for; None if it may.

    Args:
        allowed: unsafe ones that the node's owner allows, parted by commas; `*` at the end stands for anything.
    """
    spec = pod["spec"]
    for each in (spec.get("securityContext") or {}).get("sysctls") or ():
        name = dotted(str(each["name"]))
        if name not in SAFE and not _allowed(name, allowed):
            return Refusal("SysctlForbidden", f'forbidden sysctl: "{name}" not allowlisted')
        if spec.get("hostNetwork") and name.startswith(OF_NETWORK):
            return Refusal("SysctlForbidden", f'forbidden sysctl: "{name}" not allowed with host net enabled')
        if spec.get("hostIPC") and name.startswith(OF_IPC):
            return Refusal("SysctlForbidden", f'forbidden sysctl: "{name}" not allowed with host ipc enabled')
    return None


def dotted(name: str) -> str:
    """The name of a kernel setting with dots between its parts, between which it may have slashes instead: in
    `net/ipv4/conf/eth0.100/forwarding` the dot belongs to a part, and becomes a slash (sysctl.d(5))."""
    at = next((char for char in name if char in "./"), "")
    return name.translate(_SWAPPED) if at == "/" else name


def _allowed(name: str, allowed: str) -> bool:
    if not name.startswith(OF_IPC + OF_NETWORK):
        return False
    patterns = [pattern.strip() for pattern in allowed.split(",")]
    return any(name == p or (p.endswith("*") and name.startswith(p[:-1])) for p in patterns if p)
