"""What a machine has, and what of it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workers.runtime.protocol import PodRef


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """The machine, for `node.status`. cpu in millicores, memory and disk in bytes; `gpus`: the ids of those that its
    containers can have."""

    cpu_millis: int
    memory_bytes: int
    disk_bytes: int
    max_pods: int
    runtime_version: str
    kernel_version: str
    os_image: str
    architecture: str
    machine_id: str = ""
    boot_id: str = ""
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerUsage:
    """What a running container uses.

    Attributes:
        cpu: nanoseconds of cpu since it started, at `started_at` (seconds since the epoch).
        memory: bytes of its working set: what it holds but for files that could be dropped at once.
        pids: its processes and threads; 0: nobody knows.
    """

    pod: PodRef
    container: str
    id: str
    started_at: float
    cpu: int
    memory: int
    pids: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What the machine and its containers use at one time. `cpu`: nanoseconds of all cpus together since some time
    that stays the same. `memory`: bytes of the machine's working set."""

    cpu: int
    memory: int
    containers: tuple[ContainerUsage, ...] = ()
