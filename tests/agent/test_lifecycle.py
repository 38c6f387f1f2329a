"""An agent that carries pods through their lives, on simulated containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.objects.change import Object
from tests.agent.world import World, condition, pod, waiting
from workers.runtime.protocol import ContainerError, PodRef
from workers.runtime.simulated import Machine

SIDECAR = {"name": "side", "image": "side:1", "restartPolicy": "Always"}
HOOK = {"exec": {"command": ["hook"]}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def entry(world: World, uid: str, name: str) -> Object:
    status = world.status(uid)
    for section in ("containerStatuses", "initContainerStatuses"):
        for each in status.get(section) or ():
            if each["name"] == name:
                return each  # type: ignore[no-any-return]
    return {}


def test_a_sidecar_that_dies_is_restarted_and_ends_with_what_it_serves(world: World) -> None:
    uid = world.api.put(pod(restart="Never", init=[SIDECAR]))
    world.change()
    assert world.status(uid)["phase"] == "Running"
    world.runtime.kill(uid, "side")
    world.run(30)
    assert entry(world, uid, "side")["restartCount"] == 1
    assert condition(world.status(uid), "Ready")["status"] == "True"
    world.runtime.kill(uid, "web", 0)
    world.run(30)
    assert world.status(uid)["phase"] == "Succeeded"
    # It was told to end, and waits for nothing.
    assert entry(world, uid, "side")["state"]["terminated"]["exitCode"] == 143
    assert entry(world, uid, "side")["restartCount"] == 1


def test_a_restart_rule_starts_a_container_again_that_would_be_over(world: World) -> None:
    rules = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]
    uid = world.api.put(pod(restart="Never", restartPolicy="Never", restartPolicyRules=rules))
    world.change()
    world.runtime.kill(uid, "web", 42)
    world.run(1)
    assert (world.status(uid)["phase"], entry(world, uid, "web")["restartCount"]) == ("Running", 1)
    world.runtime.kill(uid, "web", 42)
    world.run(1)
    assert waiting(world.status(uid)) == "CrashLoopBackOff"
    world.run(15)
    world.runtime.kill(uid, "web", 1)
    world.run(1)
    assert (world.status(uid)["phase"], entry(world, uid, "web")["restartCount"]) == ("Failed", 2)


def test_a_post_start_hook_that_fails_ends_the_container_with_back_off(world: World) -> None:
    told = {"exec-exit-code": "3"}
    uid = world.api.put(pod(annotations=told, lifecycle={"postStart": HOOK}))
    world.change()
    world.run(5)
    assert condition(world.status(uid), "Ready")["status"] == "False"
    assert {"FailedPostStartHook", "Killing"} <= world.reasons()
    assert waiting(world.status(uid)) == "PostStartHookError"
    attempts = entry(world, uid, "web")["restartCount"]
    world.run(60)
    assert entry(world, uid, "web")["restartCount"] > attempts
    assert entry(world, uid, "web")["restartCount"] < 6


def test_a_pre_stop_hook_that_fails_is_told_and_the_end_goes_on(world: World) -> None:
    told = {"exec-exit-code": "3"}
    uid = world.api.put(pod(annotations=told, lifecycle={"preStop": HOOK}))
    world.change()
    world.api.delete(uid, 5, world.clock.at)
    world.change(10)
    assert uid not in world.api.pods
    assert "FailedPreStopHook" in world.reasons()


def test_a_deadline_that_is_brought_forward_ends_the_pod(world: World) -> None:
    wanted = pod()
    wanted["spec"]["activeDeadlineSeconds"] = 1000
    uid = world.api.put(wanted)
    world.change()
    world.run(20)
    assert world.status(uid)["phase"] == "Running"
    changed = world.api.pods[uid]
    changed["spec"]["activeDeadlineSeconds"] = 10
    world.api.put(changed)
    world.change()
    assert (world.status(uid)["phase"], world.status(uid)["reason"]) == ("Failed", "DeadlineExceeded")


def test_a_container_that_could_not_be_stopped_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = world.api.put(pod())
    world.change()
    stop, failures = (
        world.runtime.stop_container,
        [ContainerError("KillContainerError", "busy"), OSError("late")],
    )

    def failing(ref: PodRef, container: str, grace: float) -> Any:
        if failures:
            raise failures.pop()
        return stop(ref, container, grace)

    monkeypatch.setattr(world.runtime, "stop_container", failing)
    world.api.delete(uid, 5, world.clock.at)
    world.change(10)
    assert failures == []
    assert uid not in world.api.pods


def test_a_pod_that_is_marked_while_its_containers_start_starts_no_more_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = pod()
    wanted["spec"]["containers"].append({"name": "aux", "image": "aux:1"})
    uid = world.api.put(wanted)
    start = world.runtime.start_container
    started: list[str] = []

    def slow(ref: PodRef, spec: Any) -> Any:
        started.append(spec.name)
        world.api.delete(uid, 5, world.clock.at)
        world.agent.exchange_once()
        return start(ref, spec)

    monkeypatch.setattr(world.runtime, "start_container", slow)
    world.change(10)
    assert started == ["web"]
    assert world.machine.pods == {}


def test_in_a_new_sandbox_the_init_containers_run_again(world: World) -> None:
    told = {"init.crash-after": "0.1", "init.exit-code": "0"}
    uid = world.api.put(pod(annotations=told, init=[{"name": "init", "image": "init:1"}]))
    world.change(3)
    assert world.status(uid)["phase"] == "Running"
    assert entry(world, uid, "init")["restartCount"] == 0
    world.runtime.kill_sandbox(uid)
    world.run(30)
    assert condition(world.status(uid), "Ready")["status"] == "True"
    assert entry(world, uid, "init")["restartCount"] == 1
    assert entry(world, uid, "web")["restartCount"] == 1


@pytest.mark.parametrize("frees", [True, False])
def test_pods_that_have_ended_leave_their_addresses_to_others(world: World, frees: bool) -> None:
    def free_sandbox(ref: PodRef) -> None:
        world.machine.pods[ref.uid].alive = False

    if frees:
        world.runtime.free_sandbox = free_sandbox  # type: ignore[attr-defined]
    for number in range(300):  # more than the node has addresses
        uid = world.api.put(pod(f"job-{number}", restart="Never"))
        world.change()
        assert world.status(uid)["phase"] == "Running"
        world.runtime.kill(uid, "web", 0)
        world.run(1)
        assert world.status(uid)["phase"] == "Succeeded"
    ready = condition(world.status(uid), "PodReadyToStartContainers")["status"]
    assert ready == ("False" if frees else "True")
    assert world.status(uid)["podIP"]
    # Nor does the next agent keep for them what it finds.
    world.begin()
    world.change()
    uid = world.api.put(pod("late"))
    world.change()
    assert world.status(uid)["phase"] == "Running"


def test_a_pod_that_has_ended_leaves_its_gpus_to_others(tmp_path: Path) -> None:
    world = World(tmp_path, Machine(gpus=("GPU-1",)))
    asks = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    first = world.api.put(pod("first", restart="Never", **asks))
    world.change()
    world.runtime.kill(first, "web", 0)
    world.run(1)
    assert world.status(first)["phase"] == "Succeeded"
    second = world.api.put(pod("second", **asks))
    world.change()
    assert world.status(second)["phase"] == "Running"


def test_a_pod_that_could_not_be_looked_over_is_not_begun(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = [ValueError("nobody foresaw it")]

    def checked(*_: object) -> tuple[list[str], list[str]]:
        if wrong:
            raise wrong.pop()
        return ["spec.hostPID: not here"], []

    monkeypatch.setattr("workers.agent.lifecycle.lacks", checked)
    uid = world.api.put(pod())
    with pytest.raises(ValueError, match="nobody foresaw it"):
        world.change()
    world.run(10)
    assert waiting(world.status(uid)) == "UnsupportedByRuntime"
    assert uid not in world.machine.pods


def test_the_time_of_a_pod_that_can_not_run_here_runs_out_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.agent.lifecycle.lacks", lambda *_: (["spec.hostPID: not here"], []))
    wanted = pod()
    wanted["spec"]["activeDeadlineSeconds"] = 10
    uid = world.api.put(wanted)
    world.change()
    assert world.status(uid)["phase"] == "Pending"
    world.run(10)
    assert (world.status(uid)["phase"], world.status(uid)["reason"]) == ("Failed", "DeadlineExceeded")
    assert world.machine.pods == {}


def test_the_end_of_a_container_is_told_once_though_a_look_began_before_it_was_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = world.api.put(pod())
    world.change()
    look, after = world.runtime.pod, world.jobs.after
    stops: list[Any] = []

    def look_and_be_overtaken(uid: str) -> Any:
        seen = look(uid)
        while stops:
            stops.pop()()
        return seen

    def hold_stops(key: Any, delay: float, run: Any, lane: str = "pod") -> None:
        if lane == "stop":
            stops.append(run)
        else:
            after(key, delay, run, lane)

    monkeypatch.setattr(world.runtime, "pod", look_and_be_overtaken)
    monkeypatch.setattr(world.jobs, "after", hold_stops)
    world.api.delete(uid, 5, world.clock.at)
    world.change(10)
    assert uid not in world.api.pods
    assert [count for (_, reason, _), count in world.api.events.items() if reason == "Killing"] == [1]


def test_what_runs_on_though_it_was_stopped_is_stopped_again_unhurriedly_and_not_from_the_beginning(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = world.api.put(pod(lifecycle={"preStop": HOOK}))
    world.change()
    stop, command = world.runtime.stop_container, world.runtime.exec
    stopped: list[float] = []
    hooks: list[Any] = []

    def stop_later(ref: PodRef, container: str, grace: float) -> None:
        assert world.clock.at not in stopped
        stopped.append(world.clock.at)
        # As an engine that notes the end only after it has told of it.
        if len(stopped) > 3:
            stop(ref, container, grace)

    def note(*said: Any) -> Any:
        hooks.append(said)
        return command(*said)

    monkeypatch.setattr(world.runtime, "stop_container", stop_later)
    monkeypatch.setattr(world.runtime, "exec", note)
    world.api.delete(uid, 30, world.clock.at)
    world.change(10)
    assert uid not in world.api.pods
    assert len(stopped) == 4
    assert len(hooks) == 1
    assert [count for (_, reason, _), count in world.api.events.items() if reason == "Killing"] == [1]


def test_of_containers_that_end_one_that_could_not_be_stopped_is_not_held_up_by_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = pod()
    wanted["spec"]["containers"].append({"name": "aux", "image": "aux:1"})
    uid = world.api.put(wanted)
    world.change()
    after, stop = world.jobs.after, world.runtime.stop_container
    held: list[Any] = []
    failures = [ContainerError("KillContainerError", "busy")]

    def hold_the_first(key: Any, delay: float, run: Any, lane: str = "pod") -> None:
        # As a container does that takes long to end.
        if lane == "stop" and not held:
            held.append(run)
        else:
            after(key, delay, run, lane)

    def failing(ref: PodRef, container: str, grace: float) -> None:
        if failures:
            raise failures.pop()
        stop(ref, container, grace)

    monkeypatch.setattr(world.jobs, "after", hold_the_first)
    monkeypatch.setattr(world.runtime, "stop_container", failing)
    world.api.delete(uid, 30, world.clock.at)
    world.change(3)
    assert sorted(c.state.state for c in world.machine.pods[uid].containers) == ["exited", "running"]


def test_a_start_that_took_long_to_fail_is_tried_again_only_after_the_whole_back_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def slow(ref: PodRef, spec: Any) -> Any:
        world.clock.sleep(30)
        tried.append(world.clock.at)
        raise ContainerError("CreateContainerError", "the disk is slow")

    monkeypatch.setattr(world.runtime, "start_container", slow)
    world.api.put(pod())
    world.change(100)
    assert len(tried) >= 2
    assert tried[1] - tried[0] >= 30 + 10
