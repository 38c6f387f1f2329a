"""What simulated containers use: what their pod's annotations `cpu` and `memory` say, as long as they run."""

from __future__ import annotations

from workers.runtime.protocol import ContainerUsage, State
from workers.runtime.simulated.machine import Pod
from workers.runtime.simulated.told import Told

# Nanoseconds of cpu in a second, of a thousandth of a cpu.
NANOS = 1_000_000


def used(pod: Pod, now: float) -> list[ContainerUsage]:
    """Of each running container that is told what to use, evenly since it started."""
    found = []
    for container in pod.containers:
        state = container.state
        told = Told(pod.spec.annotations, state.name)
        cpu, memory = told.quantity("cpu"), told.quantity("memory")
        if state.state is not State.RUNNING or (cpu is None and memory is None):
            continue
        spent = int((cpu or 0) * NANOS * max(0.0, now - state.started_at))
        found.append(
            ContainerUsage(pod.spec.pod, state.name, state.id, state.started_at, spent, (memory or 0) // 1000)
        )
    return found
