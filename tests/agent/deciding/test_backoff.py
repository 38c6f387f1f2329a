"""How long a container that keeps ending waits for its next start."""

from __future__ import annotations

from tests.agent.world import START
from workers.agent.deciding import backoff
from workers.agent.memory import ContainerMemory


def test_back_off_begins_with_nothing_doubles_to_five_minutes_and_is_forgotten() -> None:
    memory, now, waits = ContainerMemory(), START, []
    for _ in range(8):
        waits.append(backoff.restart_at(memory, now) - now)
        now += waits[-1]
        backoff.extend(memory, now, now)
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]
    assert backoff.restart_at(memory, now + 599) - (now + 599) == 300
    assert backoff.restart_at(memory, now + 601) == now + 601
