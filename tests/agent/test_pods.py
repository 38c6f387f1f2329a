"""What an agent keeps of pods that go, and how often it asks about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.world import World, pod
from workers.runtime.protocol import ContainerError


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_of_a_pod_that_is_gone_no_configmap_is_kept_while_others_keep_theirs(world: World) -> None:
    for name in ("kept", "gone"):
        wants = pod(name)
        wants["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": name}}]
        world.api.set_object(f"configmaps default/{name}", {"data": {"a": "1"}})
        world.api.put({**wants, "draws_on": [f"configmaps default/{name}"]})
    world.change()
    assert set(world.agent.told.objects) == {"configmaps default/kept", "configmaps default/gone"}
    (uid,) = (u for u, p in world.api.pods.items() if p["metadata"]["name"] == "gone")
    world.api.delete(uid, 1, world.clock.at)
    world.change()
    world.change()
    assert set(world.agent.told.objects) == {"configmaps default/kept"}


def test_a_pod_that_takes_its_time_to_end_is_no_reason_to_ask_over_and_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(*_: object) -> None:
        raise ContainerError("KillContainerError", "the engine is busy")

    monkeypatch.setattr(world.runtime, "stop_container", hangs)
    uid = world.api.put(pod())
    world.change()
    world.api.lead_to(uid)
    world.change()
    world.api.delete(uid, 600, world.clock.at)
    world.change(1.0)
    assert world.agent.pods.is_draining()
    world.run(2.0)
    assert uid in world.machine.pods
    assert not world.agent.pods.is_draining()
