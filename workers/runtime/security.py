"""What a container may do and as whom, and what a pod shares with the machine: the isolation that a runtime is told of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ALL_CAPABILITIES = "ALL"


class Seccomp(StrEnum):
    """Which filter on system calls (https://kubernetes.io/docs/reference/node/seccomp/)."""

    UNSET = ""
    DEFAULT = "RuntimeDefault"
    UNCONFINED = "Unconfined"
    FILE = "Localhost"


@dataclass(frozen=True, slots=True)
class Security:
    """A container's privileges, beyond `ContainerSpec.run_as_user` and its neighbours.

    Attributes:
        add, drop: capabilities in capitals without `CAP_`; `ALL` is all of them. What is added is not dropped.
        no_new_privileges: nothing it runs gains privileges, whatever bits the file has (no_new_privs of prctl(2)).
        groups: supplementary ones; `only_groups`: those and no others that the image has for the user.
        seccomp: unset is the engine's usual filter, or none where there is no engine. profile: of `FILE`, its contents.
        app_armor: `unconfined` or a profile's name; empty: the engine's usual one.
        se_linux: (user, role, type or level, value).
        unmasked_proc: nothing in /proc is hidden.
    """

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    no_new_privileges: bool = False
    groups: tuple[int, ...] = ()
    only_groups: bool = False
    seccomp: Seccomp = Seccomp.UNSET
    profile: str = ""
    app_armor: str = ""
    se_linux: tuple[tuple[str, str], ...] = ()
    unmasked_proc: bool = False


@dataclass(frozen=True, slots=True)
class Shared:
    """What a pod's containers share: with the machine its network, processes and IPC; with each other their
    processes (network and IPC they always share)."""

    network: bool = False
    pid: bool = False
    ipc: bool = False
    processes: bool = False


# What nobody asked anything for has.
UNPRIVILEGED, NOTHING_SHARED = Security(), Shared()


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port of the machine that leads to a port of the pod. `address`: the machine's, empty for any."""

    host_port: int
    port: int
    protocol: str = "TCP"
    address: str = ""
