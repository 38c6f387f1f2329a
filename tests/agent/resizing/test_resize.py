"""In-place resize as an agent does it, on simulated containers: granted, put off, refused, carried out."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.objects.change import Object
from tests.agent.world import World, condition, pod
from workers.runtime.protocol import State
from workers.runtime.resources import Limits

MIB = 1 << 20
PENDING, UNDER_WAY = "PodResizePending", "PodResizeInProgress"


def amounts(cpu: str, memory: str) -> Object:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu, "memory": memory}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.machine.cpu_millis = 4000
    made.run()
    return made


def started(world: World, name: str = "web-1", cpu: str = "1", memory: str = "64Mi", **more: Any) -> str:
    body = pod(name, resources=amounts(cpu, memory), **more)
    body["metadata"]["generation"] = 1
    uid = world.api.put(body)
    world.change()
    return uid


def resize(world: World, uid: str, cpu: str, memory: str = "64Mi", seconds: float = 0.5) -> None:
    body = copy.deepcopy(world.api.pods[uid])
    body["spec"]["containers"][0]["resources"] = amounts(cpu, memory)
    body["metadata"]["generation"] += 1
    world.api.put(body)
    world.change(seconds)


def held(world: World, uid: str) -> Limits | None:
    """What the pod's running container is held to."""
    running = [c.state for c in world.machine.pods[uid].containers if c.state.state is State.RUNNING]
    return running[-1].limits


def shown(world: World, uid: str) -> Object:
    entry: Object = world.status(uid)["containerStatuses"][0]
    return entry


def test_a_container_shows_what_it_was_given(world: World) -> None:
    uid = started(world)
    entry = shown(world, uid)
    assert entry["resources"] == amounts("1", "64Mi")
    assert entry["allocatedResources"] == {"cpu": "1", "memory": "64Mi"}
    assert world.status(uid)["observedGeneration"] == 1
    assert not world.reasons() & {"ResizeStarted", "ResizeCompleted"}


def test_a_running_container_gets_more_without_a_restart(world: World) -> None:
    uid = started(world)
    before = shown(world, uid)["containerID"]

    resize(world, uid, "2", "128Mi")

    entry, status = shown(world, uid), world.status(uid)
    assert held(world, uid) == Limits(2048, 2000, 128 * MIB)
    assert entry["resources"] == amounts("2", "128Mi")
    assert entry["allocatedResources"] == {"cpu": "2", "memory": "128Mi"}
    assert (entry["containerID"], entry["restartCount"]) == (before, 0)
    assert not condition(status, PENDING)
    assert not condition(status, UNDER_WAY)
    assert status["observedGeneration"] == 2
    told = {reason: message for _, reason, message in world.api.events if reason.startswith("Resize")}
    containers = (
        '{"containers":[{"name":"web","resources":{"requests":{"cpu":"2","memory":"128Mi"},'
        '"limits":{"cpu":"2","memory":"128Mi"}}}],"generation":2}'
    )
    assert told == {
        "ResizeStarted": f"Pod resize started: {containers}",
        "ResizeCompleted": f"Pod resize completed: {containers}",
    }


def test_what_the_node_never_has_is_infeasible_and_nothing_changes(world: World) -> None:
    uid = started(world)

    resize(world, uid, "100")

    why = condition(world.status(uid), PENDING)
    assert (why["reason"], why["observedGeneration"]) == ("Infeasible", 2)
    assert why["message"] == "Node didn't have enough capacity: cpu, requested: 100000, capacity: 4000"
    assert held(world, uid) == Limits(1024, 1000, 64 * MIB)
    assert shown(world, uid)["resources"] == amounts("1", "64Mi")
    assert "ResizeInfeasible" in world.reasons()

    resize(world, uid, "2")
    assert not condition(world.status(uid), PENDING)
    assert held(world, uid) == Limits(2048, 2000, 64 * MIB)


def test_what_others_have_is_deferred_until_they_give_it_up(world: World) -> None:
    uid, other = started(world), started(world, "web-2", cpu="2")

    resize(world, uid, "3")

    why = condition(world.status(uid), PENDING)
    assert why["reason"] == "Deferred"
    assert (
        why["message"] == "Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000"
    )
    world.api.delete(other, 0, world.clock.now())
    world.change(3.0)
    assert not condition(world.status(uid), PENDING)
    assert held(world, uid) == Limits(3072, 3000, 64 * MIB)


def test_a_pod_that_asks_for_less_makes_room_for_one_that_waits(world: World) -> None:
    uid, other = started(world), started(world, "web-2", cpu="2")
    resize(world, uid, "3")

    resize(world, other, "1", seconds=3.0)

    assert held(world, uid) == Limits(3072, 3000, 64 * MIB)
    assert held(world, other) == Limits(1024, 1000, 64 * MIB)


def test_a_policy_has_the_container_started_anew(world: World) -> None:
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    uid = started(world, resizePolicy=policy)

    resize(world, uid, "2")
    assert shown(world, uid)["restartCount"] == 0
    resize(world, uid, "2", "32Mi", seconds=15.0)

    assert shown(world, uid)["restartCount"] == 1
    assert held(world, uid) == Limits(2048, 2000, 32 * MIB)
    assert any(
        "resize requires restart" in message for _, reason, message in world.api.events if reason == "Killing"
    )


def test_nobody_is_held_to_less_memory_than_they_use(world: World) -> None:
    uid = started(world, annotations={"memory": "48Mi"})

    resize(world, uid, "1", "32Mi")

    why = condition(world.status(uid), UNDER_WAY)
    assert why["reason"] == "Error"
    assert why["message"] == (
        'attempting to set container "web" memory limit (33554432) below current usage (50331648)'
    )
    assert held(world, uid) == Limits(1024, 1000, 64 * MIB)
    assert shown(world, uid)["resources"]["limits"]["memory"] == "64Mi"
    assert shown(world, uid)["allocatedResources"]["memory"] == "32Mi"
    assert "ResizeError" in world.reasons()

    world.machine.pods[uid].spec.annotations["simulated.beanpole.dev/memory"] = "16Mi"  # type: ignore[index]
    world.run(15.0)
    assert held(world, uid) == Limits(1024, 1000, 32 * MIB)
    assert not condition(world.status(uid), UNDER_WAY)


def test_an_agent_that_starts_anew_goes_on_where_the_other_ended(world: World) -> None:
    uid = started(world, annotations={"memory": "48Mi"})
    resize(world, uid, "1", "32Mi")
    waiting, _ = started(world, "web-2"), started(world, "web-3")
    resize(world, waiting, "3")

    world.begin()
    world.change(1.0)

    assert condition(world.status(waiting), PENDING)["reason"] == "Deferred"
    assert held(world, waiting) == Limits(1024, 1000, 64 * MIB)
    assert condition(world.status(uid), UNDER_WAY)["reason"] == "Error"
    world.machine.pods[uid].spec.annotations["simulated.beanpole.dev/memory"] = "16Mi"  # type: ignore[index]
    world.run(15.0)
    assert held(world, uid) == Limits(1024, 1000, 32 * MIB)


def test_gpus_are_held_by_one_container_each_until_its_pod_ends(world: World) -> None:
    world.machine.gpus = ("GPU-a", "GPU-b")
    asked = {"limits": {"nvidia.com/gpu": "1"}, "requests": {"nvidia.com/gpu": "1"}}
    uids = [world.api.put(pod(name, resources=asked)) for name in ("g1", "g2", "g3")]
    world.run(15.0)
    world.change(5.0)
    assert world.api.node is not None
    assert world.api.node["status"]["capacity"]["nvidia.com/gpu"] == "2"

    def having() -> dict[str, tuple[str, ...]]:
        there = {uid: world.machine.pods[uid].containers for uid in uids if uid in world.machine.pods}
        return {uid: states[-1].state.gpus for uid, states in there.items() if states}

    got = having()
    assert sorted(got.values()) == [("GPU-a",), ("GPU-b",)]
    world.begin()
    world.change(1.0)
    first = next(iter(got))
    world.runtime.kill(first, "web")
    world.run(1.0)
    assert having() == got


def test_who_ends_well_when_stopped_for_a_resize_is_started_again_all_the_same(world: World) -> None:
    policy = [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]
    uid = started(world, restart="OnFailure", resizePolicy=policy)
    body = copy.deepcopy(world.api.pods[uid])
    ends = world.runtime.stop_container
    runtime: Any = world.runtime

    def well(pod_ref: Any, container_id: str, grace: float) -> None:
        ends(pod_ref, container_id, grace)
        (found,) = [c for c in world.machine.pods[uid].containers if c.state.id == container_id]
        found.state = replace(found.state, exit_code=0)

    runtime.stop_container = well
    world.api.put(body)
    resize(world, uid, "2", seconds=15.0)

    assert world.status(uid)["phase"] == "Running"
    assert held(world, uid) == Limits(2048, 2000, 64 * MIB)
    assert shown(world, uid)["restartCount"] == 1
