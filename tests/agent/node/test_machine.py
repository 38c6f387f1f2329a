"""The machine as its agent knows it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.agent.world import World, condition
from workers.agent.node.machine import Machine
from workers.runtime.protocol import ContainerError


def test_a_look_that_hung_does_not_undo_what_a_later_one_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    world.run(1)
    machine = Machine(world.agent.around, "q", lambda: ())
    answers, asked, give_up = world.runtime.info, threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        assert give_up.wait(10)
        raise ContainerError("Timeout", "the engine does not answer")

    monkeypatch.setattr(world.runtime, "info", hang)
    stuck = threading.Thread(target=machine.look)
    stuck.start()
    assert asked.wait(10)
    monkeypatch.setattr(world.runtime, "info", answers)
    assert machine.look()
    give_up.set()
    stuck.join(10)
    report = machine.due(True)
    assert report is not None
    assert condition(report["status"], "Ready")["status"] == "True"
