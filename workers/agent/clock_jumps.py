"""The machine's clock is set by hours while pods wait for a time: what an agent remembers is moved along.

Times in a pod's memory are of the clock that users see, because they are compared with those of the API and the
runtime. Left as they are, a clock that goes back two hours would hold up a restart for two hours, and one that goes
forward would cut every wait short.
"""

from __future__ import annotations

from app.base.clock import Clock
from workers.agent.memory import ContainerMemory, PodMemory

# A clock that is slowly put right is no jump. Seconds.
JUMP = 2.0


def follow(memory: PodMemory, clock: Clock) -> float:
    """Move the times in a pod's memory if the clock was set since this was last called for it; by how many seconds."""
    offset = clock.now() - clock.monotonic()
    if memory.clock_offset is None:
        memory.clock_offset = offset
        return 0.0
    jump = offset - memory.clock_offset
    if abs(jump) < JUMP:
        return 0.0
    memory.clock_offset = offset
    _move(memory, jump)
    return jump


def _move(memory: PodMemory, jump: float) -> None:
    # Zero stands for never.
    memory.started_at += jump if memory.started_at else 0.0
    memory.sandbox_retry_at += jump if memory.sandbox_retry_at else 0.0
    memory.removal_retry_at += jump if memory.removal_retry_at else 0.0
    memory.resize.retry_at += jump if memory.resize.retry_at else 0.0
    if memory.deleting_since is not None:
        memory.deleting_since += jump
    if memory.ending is not None:
        memory.ending = memory.ending[0] + jump, memory.ending[1]
    for ending in list(memory.endings.values()):
        ending.since += jump
        if ending.dead_at is not None:
            ending.dead_at += jump
    for mine in list(memory.containers.values()):
        _move_container(mine, jump)


def _move_container(mine: ContainerMemory, jump: float) -> None:
    mine.backoff_since += jump if mine.backoff_since else 0.0
    mine.retry_at += jump if mine.retry_at else 0.0
