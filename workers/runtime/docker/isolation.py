"""Privileges, and what pods share with the machine, in the words of the engine's API."""

from __future__ import annotations

from typing import Any

from workers.runtime.features import Feature
from workers.runtime.protocol import ContainerSpec, SandboxSpec, Unsupported
from workers.runtime.security import UNPRIVILEGED, Seccomp, Security, Shared

# The engine's word for a container that has its own loopback and nothing else.
NO_NETWORK = "none"

# What every engine gives.
_ALWAYS = (
    Feature.GROUPS,
    Feature.IMAGE_GROUPS,
    Feature.CAPABILITIES,
    Feature.MORE_CAPABILITIES,
    Feature.PRIVILEGED,
    Feature.NO_NEW_PRIVILEGES,
    Feature.READ_ONLY_ROOT,
    Feature.PROC_MOUNT,
    Feature.SYSCTLS,
    Feature.RUNTIME_CLASSES,
    Feature.HOST_NETWORK,
    Feature.HOST_PID,
    Feature.HOST_IPC,
    Feature.SHARED_PROCESSES,
    Feature.HOSTNAME,
    Feature.HOST_PORTS,
)
# What an engine says in its `/info` that the machine has.
_SAID = {
    "seccomp": (Feature.SECCOMP, Feature.SECCOMP_PROFILES),
    "apparmor": (Feature.APPARMOR,),
    "selinux": (Feature.SELINUX,),
}


def features(info: dict[str, Any]) -> frozenset[Feature]:
    """What of isolation this engine gives. `info`: its answer to GET /info."""
    said = [
        part.partition("=")[2]
        for option in info.get("SecurityOptions") or ()
        for part in option.split(",")
        if part.startswith("name=")
    ]
    return frozenset(_ALWAYS).union(*(_SAID[name] for name in said if name in _SAID))


def of_container(spec: ContainerSpec, shared: Shared, sandbox: str) -> dict[str, Any]:
    """The part of a container's `HostConfig`.

    Args:
        sandbox: name of the pod's.

    Raises:
        Unsupported: the container wants no groups of its image, and does not say which is its first.
    """
    told = spec.security
    joined = f"container:{sandbox}"
    host: dict[str, Any] = {
        "NetworkMode": joined,
        "IpcMode": "host" if shared.ipc else joined,
        "ReadonlyRootfs": spec.read_only_root,
        "Privileged": spec.privileged,
    }
    if shared.pid or shared.processes:
        host["PidMode"] = "host" if shared.pid else joined
    if shared.network:
        # The machine's name goes with its network.
        host["UTSMode"] = "host"
    if told == UNPRIVILEGED:
        return host
    if told.add:
        host["CapAdd"] = list(told.add)
    if told.drop:
        host["CapDrop"] = list(told.drop)
    if told.groups:
        host["GroupAdd"] = [str(group) for group in told.groups]
    if told.only_groups and spec.run_as_group is None:
        raise Unsupported(
            "spec.securityContext.supplementalGroupsPolicy: Strict takes runAsUser and runAsGroup under the docker "
            "runtime, or the image's groups would be added"
        )
    if told.unmasked_proc:
        host |= {"MaskedPaths": [], "ReadonlyPaths": []}
    if options := security_options(told):
        host["SecurityOpt"] = options
    return host


def security_options(told: Security) -> list[str]:
    """`HostConfig.SecurityOpt`."""
    options = []
    if told.no_new_privileges:
        options.append("no-new-privileges")
    if told.seccomp is Seccomp.UNCONFINED:
        options.append("seccomp=unconfined")
    elif told.seccomp is Seccomp.FILE:
        options.append(f"seccomp={told.profile}")
    if told.app_armor:
        options.append(f"apparmor={told.app_armor}")
    return options + [f"label={key}:{value}" for key, value in told.se_linux]


def of_sandbox(spec: SandboxSpec, network: str) -> dict[str, Any]:
    """What of a sandbox's body says what the pod shares, and its part of `HostConfig`. `network`: the node's; empty: it
    gets its link once it runs."""
    shared = spec.shared
    host: dict[str, Any] = {
        "NetworkMode": "host" if shared.network else network or NO_NETWORK,
        "IpcMode": "host" if shared.ipc else "shareable",
    }
    if spec.sysctls:
        host["Sysctls"] = dict(spec.sysctls)
    if spec.handler:
        host["Runtime"] = spec.handler
    if shared.network:
        return {"HostConfig": host | {"UTSMode": "host"}}
    body: dict[str, Any] = {
        "Hostname": spec.hostname,
        "HostConfig": host,
    }
    if network:
        endpoint = {"IPAMConfig": {"IPv4Address": spec.address}}
        body["NetworkingConfig"] = {"EndpointsConfig": {network: endpoint}}
    if spec.host_ports:
        bound: dict[str, list[dict[str, str]]] = {}
        for port in spec.host_ports:
            place = {"HostIp": port.address, "HostPort": str(port.host_port)}
            bound.setdefault(f"{port.port}/{port.protocol.lower()}", []).append(place)
        host["PortBindings"] = bound
        body["ExposedPorts"] = {name: {} for name in bound}
    return body
