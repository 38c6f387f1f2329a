"""The simulated machine: what outlives the agent on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from workers.runtime.protocol import ContainerSpec, ContainerState, NodeInfo, SandboxSpec


@dataclass(slots=True)
class Container:
    """One attempt, and when it will be ready or end."""

    state: ContainerState
    ready_at: float
    crash_at: float | None
    crash_code: int
    spec: ContainerSpec


@dataclass(slots=True)
class Pod:
    """A sandbox, made at `since`, and what is in it."""

    spec: SandboxSpec
    alive: bool = True
    containers: list[Container] = field(default_factory=list)
    since: float = 0.0


@dataclass(slots=True)
class Machine:
    """What outlives an agent: hand the same machine to a new SimulatedRuntime, and it adopts what runs.

    With `reachable` False every call fails as if the engine were down (see `SimulatedRuntime.reach`).
    """

    cpu_millis: int = 32_000
    memory_bytes: int = 128 << 30
    max_pods: int = 110
    gpus: tuple[str, ...] = ()
    reachable: bool = True
    pods: dict[str, Pod] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    crashes: list[tuple[float, str, str]] = field(default_factory=list)
    # How much is left of what pods may use up, and of how much: `memory.available`, `nodefs.available`, `pid.available`.
    levels: dict[str, tuple[int, int]] = field(default_factory=dict)

    def info(self, name: str) -> NodeInfo:
        """What it has. `name` is the node's."""
        return NodeInfo(
            cpu_millis=self.cpu_millis,
            memory_bytes=self.memory_bytes,
            disk_bytes=1 << 40,
            max_pods=self.max_pods,
            runtime_version="simulated://1",
            kernel_version="simulated",
            os_image="Beanpole simulated node",
            architecture="amd64",
            machine_id=name,
            boot_id=name,
            gpus=self.gpus,
        )


def forget_old(containers: list[Container], spec: ContainerSpec) -> list[Container]:
    """Without what is older than the last attempt before this one."""
    return [c for c in containers if c.state.name != spec.name or c.state.attempt >= spec.attempt - 1]
