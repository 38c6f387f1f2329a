"""Pods that the node ends: whose fault that was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.world import World, pod
from workers.agent.pressure.ending import evict


@pytest.mark.parametrize(("disrupted", "shown"), [(True, "True"), (False, "")])
def test_only_who_goes_for_want_of_room_was_disrupted(tmp_path: Path, disrupted: bool, shown: str) -> None:
    world = World(tmp_path)
    uid = world.api.put(pod())
    world.change()
    record = world.agent.told.records[uid]
    assert evict(world.agent.around, record, "too much", disrupted=disrupted)
    world.agent.pods.wake(uid)
    world.run(2)
    status = world.status(uid)
    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
    found = [c["status"] for c in status["conditions"] if c["type"] == "DisruptionTarget"]
    assert found == ([shown] if shown else [])
