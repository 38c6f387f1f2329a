"""Times in a pod's memory follow a clock that is set."""

from __future__ import annotations

from dataclasses import fields

from workers.agent import clock_jumps
from workers.agent.deciding import backoff
from workers.agent.memory import ContainerMemory, Ending, PodMemory
from workers.agent.resizing.memory import ResizeMemory

# What is a length of time or no time of this agent's, by its class.
LENGTHS = {"backoff", "end_grace", "period", "clock_offset"}


class TwoClocks:
    """A clock that is set, and one that only goes on."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_800_000_000.0, 500.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def sleep(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def full(at: float) -> PodMemory:
    """A memory in which every time is `at`."""
    memory = PodMemory(started_at=at, deleting_since=at, sandbox_retry_at=at, removal_retry_at=at)
    memory.containers["web"] = ContainerMemory(backoff=10.0, backoff_since=at, retry_at=at)
    memory.endings["id"] = Ending(since=at, period=30.0, dead_at=at)
    memory.ending = (at, 30.0)
    memory.resize = ResizeMemory(retry_at=at)
    return memory


def times(memory: PodMemory) -> list[float]:
    """All times in it, whatever they are called."""
    found = [memory.ending[0]] if memory.ending else []
    parts = (memory, memory.resize, *memory.containers.values(), *memory.endings.values())
    for part in parts:
        for each in fields(part):
            if "float" in str(each.type) and "tuple" not in str(each.type) and each.name not in LENGTHS:
                found.append(getattr(part, each.name))
    return found


def test_every_time_moves_with_the_clock() -> None:
    for jump in (7200.0, -7200.0):
        clock = TwoClocks()
        memory = full(clock.now())
        clock_jumps.follow(memory, clock)
        clock.wall += jump
        clock_jumps.follow(memory, clock)
        assert set(times(memory)) == {clock.now()}
        clock_jumps.follow(memory, clock)
        assert set(times(memory)) == {clock.now()}


def test_time_that_passes_is_no_jump() -> None:
    clock = TwoClocks()
    memory = full(clock.now())
    before = times(memory)
    clock_jumps.follow(memory, clock)
    clock.sleep(100_000)
    assert clock_jumps.follow(memory, clock) == 0.0
    assert times(memory) == before


def test_never_stays_never() -> None:
    clock, memory = TwoClocks(), PodMemory()
    memory.of("web")
    clock_jumps.follow(memory, clock)
    clock.wall += 7200
    clock_jumps.follow(memory, clock)
    assert set(times(memory)) == {0.0, None}


def test_a_back_off_is_as_long_whatever_the_clock_of_the_runtime_says() -> None:
    now = 1_800_000_000.0
    for ended in (now - 5, now + 7200, now - 7200):
        memory = ContainerMemory(backoff=20.0, backoff_since=now - 6)
        at = backoff.restart_at(memory, backoff.believed(memory, ended, now))
        assert now < at <= now + 20
