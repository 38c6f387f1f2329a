"""What an agent tells the API that its pods use, on a clock moved by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.agent.world import World, pod


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.run()
    return made


def told(world: World) -> list[dict[str, Any]]:
    return [request["usage"] for request in world.api.requests if request["usage"]]


def of(world: World, name: str = "web-1") -> dict[str, Any] | None:
    """What was told last of a pod."""
    return next((p for p in told(world)[-1]["pods"] if p["uid"] == f"uid-{name}"), None)


def test_what_a_pod_uses_goes_up_with_the_span_that_was_measured(world: World) -> None:
    world.api.put(pod(annotations={"cpu": "250m", "memory": "64Mi"}))
    world.change(60)
    found = of(world)
    assert found is not None
    assert found["containers"] == {"web": [250_000_000, 64 << 20]}
    assert found["window"] == pytest.approx(15.0)
    assert told(world)[-1]["cpu"] == 250_000_000
    assert told(world)[-1]["memory"] == 64 << 20


def test_each_measurement_goes_up_once_and_says_how_old_it_is(world: World) -> None:
    before = len(world.api.requests)
    world.run(120)
    usages = [request["usage"] for request in world.api.requests[before:]]
    assert 7 <= sum(usage is not None for usage in usages) <= 9
    assert len(usages) > 20
    assert all(0 <= usage["age"] <= 5.1 for usage in usages if usage)


def until_told(world: World) -> None:
    """Let time pass until the next measurement has gone up."""
    before = len(told(world))
    while len(told(world)) == before:
        world.run(1)


def test_a_pod_that_just_started_is_left_out_at_first(world: World) -> None:
    world.run(20)
    until_told(world)
    # At most five seconds after a measurement, so at least five more and at most ten are left.
    world.run(7)
    world.api.put(pod("late", annotations={"cpu": "1"}))
    world.change()
    until_told(world)
    assert of(world, "late") is None
    until_told(world)
    found = of(world, "late")
    assert found is not None
    assert found["containers"]["web"][0] == pytest.approx(1_000_000_000, rel=0.01)


def test_a_pod_that_started_since_the_last_measurement_is_measured_from_its_start(world: World) -> None:
    world.run(20)
    until_told(world)
    # So much of the time until the next measurement has passed.
    assert told(world)[-1]["age"] < 3
    world.api.put(pod("new", annotations={"cpu": "1"}))
    world.change()
    until_told(world)
    found = of(world, "new")
    assert found is not None
    assert 10 <= found["window"] < 15
    assert found["containers"]["web"][0] == pytest.approx(1_000_000_000, rel=0.01)


def test_a_container_that_restarted_is_not_measured_by_its_predecessor(world: World) -> None:
    world.api.put(pod(annotations={"cpu": "500m"}))
    world.change(40)
    world.runtime.kill("uid-web-1", "web")
    world.change(40)
    found = of(world)
    assert found is not None
    assert found["containers"]["web"][0] == pytest.approx(500_000_000, rel=0.01)


def test_a_pod_that_is_gone_is_no_longer_told_of(world: World) -> None:
    uid = world.api.put(pod(annotations={"cpu": "500m"}))
    world.change(40)
    assert of(world) is not None
    world.api.delete(uid, 0, world.clock.now())
    world.change(40)
    assert of(world) is None


def test_a_restarted_agent_measures_from_its_second_reading_on(world: World) -> None:
    world.api.put(pod(annotations={"cpu": "500m"}))
    world.change(40)
    world.begin()
    before = len(told(world))
    world.run(40)
    first = told(world)[before]
    assert [p["containers"]["web"][0] for p in first["pods"]] == [pytest.approx(500_000_000, rel=0.01)]


def test_an_engine_that_is_down_makes_a_gap_and_no_wrong_numbers(world: World) -> None:
    world.api.put(pod(annotations={"cpu": "500m"}))
    world.change(40)
    world.runtime.reach(False)
    before = len(told(world))
    world.run(60)
    assert len(told(world)) <= before + 1
    world.runtime.reach(True)
    world.run(40)
    found = of(world)
    assert found is not None
    assert found["containers"]["web"][0] == pytest.approx(500_000_000, rel=0.01)


def test_nothing_is_made_up_of_simulated_pods_that_nobody_told_what_to_use(world: World) -> None:
    world.api.put(pod())
    world.change(40)
    assert of(world) is None


def test_an_annotation_that_is_no_quantity_keeps_the_container_from_starting(world: World) -> None:
    uid = world.api.put(pod(annotations={"cpu": "plenty"}))
    world.change(2)
    (state,) = (s["state"] for s in world.status(uid)["containerStatuses"])
    assert "quantities must match" in state["waiting"]["message"]
