"""What an agent does when its machine runs short of something, or shuts down: told to it, never brought about."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.agent.world import World, condition, pod
from workers.agent.pressure.thresholds import parse
from workers.runtime.protocol import ContainerError

MI = 1 << 20
GI = 1 << 30
MEMORY, DISK = "memory.available", "nodefs.available"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.run()
    return made


def using(name: str, memory: str, requests: str = "", priority: int = 0, **more: Any) -> Any:
    resources = {"requests": {"memory": requests}} if requests else {}
    made = pod(name, annotations={"memory": memory}, resources=resources, **more)
    made["spec"]["priority"] = priority
    return made


def short(world: World, signal: str = MEMORY, left: int = 50 * MI, of: int = 128 * GI) -> None:
    world.machine.levels[signal] = (left, of)
    world.run(10)


def node_condition(world: World, type_: str) -> str:
    assert world.api.node is not None
    return str(condition(world.api.node["status"], type_)["status"])


def phases(world: World) -> dict[str, str]:
    return {p["metadata"]["name"]: p["status"]["phase"] for p in world.api.pods.values()}


def test_the_pod_that_uses_most_beyond_its_request_is_evicted_and_says_why(world: World) -> None:
    for each in (
        using("modest", "100Mi", "200Mi"),
        using("greedy", "900Mi", "100Mi"),
        using("free", "400Mi"),
    ):
        world.api.put(each)
    world.change(1)
    short(world)
    world.machine.levels[MEMORY] = (4 * GI, 128 * GI)
    world.run(10)
    status = world.status("uid-greedy")
    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
    assert status["message"] == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container web was using "
        "900Mi, request is 100Mi, has larger consumption of memory. "
    )
    disrupted = condition(status, "DisruptionTarget")
    assert (disrupted["status"], disrupted["reason"]) == ("True", "TerminationByKubelet")
    assert phases(world) == {"modest": "Running", "greedy": "Failed", "free": "Running"}
    assert {"Evicted", "EvictionThresholdMet"} <= world.reasons()
    assert ("n1", "EvictionThresholdMet", "Attempting to reclaim memory") in world.api.events


def test_pods_go_one_at_a_time_for_as_long_as_the_machine_is_short(world: World) -> None:
    for at in range(3):
        world.api.put(using(f"p{at}", f"{at + 1}00Mi"))
    world.change(1)
    seen = []
    world.machine.levels[MEMORY] = (50 * MI, 128 * GI)
    for _ in range(60):
        world.run(0.5)
        seen.append(sum(phase == "Failed" for phase in phases(world).values()))
    assert seen[-1] == 3
    assert all(later - before <= 1 for before, later in itertools.pairwise(seen))


def test_critical_pods_stay_whatever_happens(world: World) -> None:
    world.api.put(using("system", "900Mi", priority=2_000_001_000))
    world.change(1)
    short(world)
    assert phases(world) == {"system": "Running"}


def test_the_node_says_so_takes_no_pods_that_ask_for_nothing_and_recovers_later(world: World) -> None:
    short(world)
    assert node_condition(world, "MemoryPressure") == "True"
    world.api.put(pod("late"))
    world.change(1)
    assert (world.status("uid-late")["phase"], world.status("uid-late")["reason"]) == ("Failed", "Evicted")
    assert (
        world.status("uid-late")["message"] == "Pod was rejected: The node had condition: [MemoryPressure]. "
    )
    short(world, left=GI)
    assert node_condition(world, "MemoryPressure") == "True"
    world.run(310)
    assert node_condition(world, "MemoryPressure") == "False"


def test_a_rejected_pod_stays_rejected_and_shows_no_containers_whoever_looks(world: World) -> None:
    refused = pod("big", resources={"requests": {"cpu": "64"}})
    world.api.put(refused)
    world.change(1)
    before = world.status("uid-big")
    assert before["message"] == (
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 32000"
    )
    assert "containerStatuses" not in before
    assert ("uid-big", "OutOfcpu") in {(uid, reason) for uid, reason, _ in world.api.events}
    world.begin()
    world.run(10)
    assert world.status("uid-big") == before


def test_pods_that_were_let_in_before_stay_though_the_node_would_not_take_them_now(world: World) -> None:
    world.api.put(pod("old"))
    world.change(1)
    world.api.standing = {**world.api.standing, "taints": [{"key": "gone", "effect": "NoExecute"}]}
    world.begin()
    world.run(10)
    assert world.status("uid-old")["phase"] == "Running"
    world.api.put(pod("new"))
    world.change(1)
    assert world.status("uid-new")["reason"] == "TaintToleration"


def test_of_two_pods_for_which_there_is_room_for_one_the_first_gets_it(world: World) -> None:
    for name in ("one", "two"):
        world.api.put(pod(name, resources={"requests": {"cpu": "20"}}))
    world.change(1)
    assert sorted(phases(world).values()) == ["Failed", "Running"]


def test_room_that_a_finished_pod_leaves_is_had_again(world: World) -> None:
    world.api.put(
        pod(
            "one",
            restart="Never",
            resources={"requests": {"cpu": "20"}},
            annotations={"crash-after": "1", "exit-code": "0"},
        )
    )
    world.change(3)
    world.api.put(pod("two", resources={"requests": {"cpu": "20"}}))
    world.change(1)
    assert phases(world) == {"one": "Succeeded", "two": "Running"}


def test_a_soft_threshold_evicts_after_its_patience_within_the_pods_own_grace(tmp_path: Path) -> None:
    world = World(tmp_path, eviction_soft="memory.available<1Gi:30")
    world.api.put(using("web", "200Mi"))
    world.run(1)
    world.machine.levels[MEMORY] = (500 * MI, 128 * GI)
    world.run(35)
    assert node_condition(world, "MemoryPressure") == "True"
    assert phases(world) == {"web": "Running"}
    world.run(15)
    assert phases(world) == {"web": "Failed"}


def test_a_pod_that_goes_slowly_is_waited_for_as_long_as_it_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, eviction_soft="memory.available<1Gi:0", eviction_grace=90.0)
    for name in ("one", "two"):
        slow = using(name, "200Mi")
        slow["spec"]["terminationGracePeriodSeconds"] = 80
        world.api.put(slow)
    world.run(1)

    def takes_longer(*_: Any) -> None:
        raise ContainerError("Timeout", "it does not end")

    monkeypatch.setattr(world.runtime, "stop_container", takes_longer)
    world.machine.levels[MEMORY] = (500 * MI, 128 * GI)
    seen = []
    for seconds in (60, 70):
        world.run(seconds)
        seen.append([reason for _, reason, _ in world.api.events].count("Evicted"))
    assert seen == [1, 2]


def test_disks_are_read_only_for_want_of_disk(world: World) -> None:
    world.api.put(pod("web"))
    world.change(1)
    read: list[str] = []

    def used(record: Any) -> dict[str, int]:
        read.append(record.uid)
        return {"web": GI}

    world.agent.evictor.disk_used = used
    world.agent.around.registered = replace(
        world.agent.around.registered, thresholds=parse("nodefs.inodesFree<5%")
    )
    short(world, "nodefs.inodesFree", 1, 100)
    assert phases(world) == {"web": "Failed"}
    assert read == []


def test_containers_of_pods_that_are_done_are_removed_before_any_pod_goes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.api.put(using("web", "200Mi"))
    world.api.put(pod("done", restart="Never", annotations={"crash-after": "1", "exit-code": "0"}))
    world.change(3)
    ended = world.status("uid-done")
    assert [len(p.containers) for p in world.runtime.pods()] == [1, 1]
    world.machine.levels[DISK] = (5 * GI, 100 * GI)
    remove = world.runtime.remove_container

    def gives_room(*which: Any) -> None:
        remove(*which)
        world.machine.levels[DISK] = (50 * GI, 100 * GI)

    monkeypatch.setattr(world.runtime, "remove_container", gives_room)
    world.run(12)
    assert [len(p.containers) for p in world.runtime.pods()] == [1, 0]
    assert phases(world) == {"web": "Running", "done": "Succeeded"}
    assert world.status("uid-done")["containerStatuses"][0]["state"] == ended["containerStatuses"][0]["state"]
    assert node_condition(world, "DiskPressure") == "True"


def test_the_pod_with_most_on_the_disk_goes_if_nothing_is_free(world: World) -> None:
    for name in ("small", "large"):
        world.api.put(pod(name))
    world.change(1)
    world.agent.evictor.disk_used = lambda record: {"web": 5 * GI if record.uid == "uid-large" else MI}
    world.machine.levels[DISK] = (5 * GI, 100 * GI)
    for _ in range(24):
        world.run(0.5)
        if "Evicted" in world.reasons():
            break
    world.machine.levels[DISK] = (50 * GI, 100 * GI)
    world.run(5)
    assert phases(world) == {"small": "Running", "large": "Failed"}
    assert world.status("uid-large")["message"].startswith(
        "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 5Gi. "
        "Container web was using 5Gi, request is 0, has larger consumption of ephemeral-storage. "
    )


def test_an_agent_that_comes_back_finishes_what_the_one_before_began_to_evict(world: World) -> None:
    uid = world.api.put(using("web", "200Mi"))
    world.change(1)
    said = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet", "message": "low"}
    world.api.pods[uid]["status"]["conditions"].append(said)
    world.begin()
    world.run(5)
    assert (world.status(uid)["phase"], world.status(uid)["reason"]) == ("Failed", "Evicted")


# -- shutdown --------------------------------------------------------------------------------------------


def test_a_machine_that_goes_ends_plain_pods_before_critical_ones(world: World) -> None:
    slow = {"ignore-term": "true"}
    world.api.put(pod("web", annotations=slow))
    system = pod("system")
    system["spec"]["priority"] = 2_000_001_000
    world.api.put(system)
    world.change(1)
    began = world.clock.at
    world.agent.shutdown.begin()
    world.run(60)
    assert world.agent.shutdown.done.is_set()
    for uid in ("uid-web", "uid-system"):
        status = world.status(uid)
        assert (status["phase"], status["reason"]) == ("Failed", "Terminated")
        assert status["message"] == "Pod was terminated in response to imminent node shutdown."
        assert condition(status, "DisruptionTarget")["reason"] == "TerminationByKubelet"
        assert condition(status, "Ready")["status"] == "False"
    ends = {p.pod.name: p.containers[0].finished_at for p in world.runtime.pods()}
    assert ends["web"] <= ends["system"]
    assert ends["web"] - began <= 20.5


def test_meanwhile_the_node_is_not_ready_and_takes_nothing(world: World) -> None:
    world.agent.shutdown.begin()
    world.run(1)
    assert world.api.node is not None
    ready = condition(world.api.node["status"], "Ready")
    assert (ready["status"], ready["reason"], ready["message"]) == (
        "False", "KubeletNotReady", "node is shutting down",
    )  # fmt: skip
    world.api.put(pod("late"))
    world.change(1)
    status = world.status("uid-late")
    assert (status["phase"], status["reason"]) == ("Failed", "NodeShutdown")
    assert status["message"] == "Pod was rejected: Pod was rejected as the node is shutting down."


def test_after_the_next_boot_all_goes_on(world: World) -> None:
    world.api.put(pod("web"))
    world.change(1)
    world.agent.shutdown.begin()
    world.run(10)
    world.begin()
    world.run(2)
    assert node_condition(world, "Ready") == "True"
    world.api.put(pod("new"))
    world.change(1)
    assert phases(world) == {"web": "Failed", "new": "Running"}


def test_a_runtime_that_hangs_keeps_nobody_who_tells_of_a_shutdown_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.api.put(pod("web"))
    world.change(1)
    answers, hangs = world.runtime.info, threading.Event()

    def hang() -> Any:
        assert hangs.wait(20)
        return answers()

    monkeypatch.setattr(world.runtime, "info", hang)
    for tell in (world.agent.shutdown.begin, world.agent.shutdown.cancel, world.agent.shutdown.begin):
        teller = threading.Thread(target=tell)
        teller.start()
        teller.join(10)
        assert not teller.is_alive()
    hangs.set()
    world.run(1)
    assert node_condition(world, "Ready") == "False"
    assert phases(world) == {"web": "Failed"}


def test_a_shutdown_that_is_called_off_leaves_the_node_as_it_was(world: World) -> None:
    system = pod("system", annotations={"ignore-term": "true"})
    system["spec"]["priority"] = 2_000_001_000
    world.api.put(system)
    world.change(1)
    world.agent.shutdown.begin()
    assert not world.agent.shutdown.done.is_set()
    world.agent.shutdown.cancel()
    # Whoever waits for the end of it waits no longer.
    assert world.agent.shutdown.done.is_set()
    world.run(1)
    assert node_condition(world, "Ready") == "True"
    world.api.put(pod("new"))
    world.change(1)
    assert phases(world) == {"system": "Running", "new": "Running"}
