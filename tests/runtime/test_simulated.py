"""What the annotations of a simulated pod do."""

from __future__ import annotations

import pytest

from tests.clock import HandClock
from workers.runtime.protocol import (
    AnswersProbes,
    ContainerError,
    ContainerSpec,
    ContainerState,
    PodRef,
    SandboxSpec,
    State,
)
from workers.runtime.simulated import PREFIX, SimulatedRuntime

POD = PodRef("u1", "default", "web")


@pytest.fixture
def clock() -> HandClock:
    return HandClock(1000.0)


@pytest.fixture
def runtime(clock: HandClock) -> SimulatedRuntime:
    return SimulatedRuntime(clock, "n1")


def start(runtime: SimulatedRuntime, attempt: int = 0, **told: str) -> ContainerState:
    annotations = {PREFIX + key.replace("_", "-"): value for key, value in told.items()}
    runtime.start_sandbox(SandboxSpec(POD, "10.244.0.10", "web", annotations=annotations))
    return runtime.start_container(POD, ContainerSpec("main", attempt, "web:1"))


def newest(runtime: SimulatedRuntime) -> ContainerState:
    return runtime.pod("u1").containers[-1]


def test_starting_takes_as_long_as_it_is_told(runtime: SimulatedRuntime, clock: HandClock) -> None:
    assert start(runtime, start_delay="0.5").started_at == 1000.5


def test_a_pod_is_ready_when_told(runtime: SimulatedRuntime, clock: HandClock) -> None:
    assert isinstance(runtime, AnswersProbes)
    start(runtime, ready_after="2")
    assert not runtime.probe(POD, "main")
    clock.at += 2
    assert runtime.probe(POD, "main")
    runtime.kill("u1", "main")
    assert not runtime.probe(POD, "main")


def test_a_pod_may_never_be_ready(runtime: SimulatedRuntime, clock: HandClock) -> None:
    start(runtime, never_ready="true")
    clock.at += 1e9
    assert not runtime.probe(POD, "main")


def test_a_crash_comes_at_its_time_and_is_told_once(runtime: SimulatedRuntime, clock: HandClock) -> None:
    start(runtime, crash_after="5", exit_code="9")
    clock.at += 4.9
    assert (runtime.died(), newest(runtime).state) == ([], State.RUNNING)
    clock.at += 3
    assert runtime.died() == ["u1"]
    assert (newest(runtime).exit_code, newest(runtime).finished_at) == (9, 1005.0)
    assert runtime.died() == []


def test_only_the_first_attempts_crash(runtime: SimulatedRuntime, clock: HandClock) -> None:
    start(runtime, crash_after="1", crash_count="1")
    clock.at += 2
    assert newest(runtime).state is State.EXITED
    start(runtime, 1)
    clock.at += 100
    assert newest(runtime).state is State.RUNNING


def test_one_container_can_be_told_apart(runtime: SimulatedRuntime) -> None:
    annotations = {PREFIX + "main.never-ready": "true"}
    runtime.start_sandbox(SandboxSpec(POD, "10.244.0.10", "web", annotations=annotations))
    for name in ("main", "side"):
        runtime.start_container(POD, ContainerSpec(name, 0, "web:1"))
    assert (runtime.probe(POD, "main"), runtime.probe(POD, "side")) == (False, True)


@pytest.mark.parametrize(
    ("told", "reason"),
    [({"fail_image": "true"}, "ErrImagePull"), ({"fail_start": "no such program"}, "RunContainerError")],
)
def test_a_start_fails_when_told(runtime: SimulatedRuntime, told: dict[str, str], reason: str) -> None:
    with pytest.raises(ContainerError) as refusal:
        start(runtime, **told)
    assert refusal.value.reason == reason
    assert runtime.pod("u1").containers == ()


def test_a_wrong_number_is_told(runtime: SimulatedRuntime) -> None:
    with pytest.raises(ContainerError, match="soon"):
        start(runtime, crash_after="soon")


def test_images_of_an_invalid_registry_cannot_be_pulled(runtime: SimulatedRuntime) -> None:
    with pytest.raises(ContainerError) as refusal:
        runtime.ensure_image("registry.invalid/web:1", "IfNotPresent")
    assert refusal.value.reason == "ErrImagePull"
    with pytest.raises(ContainerError) as refusal:
        runtime.ensure_image("web:1", "Never")
    assert refusal.value.reason == "ErrImageNeverPull"
    assert runtime.ensure_image("web:1", "IfNotPresent") == "pulled"
    assert runtime.ensure_image("web:1", "Never") == "already present on machine"


def test_an_engine_that_is_down_fails_every_call_and_forgets_nothing(runtime: SimulatedRuntime) -> None:
    start(runtime)
    runtime.reach(False)
    with pytest.raises(ContainerError, match="down"):
        runtime.pods()
    assert list(runtime.events()) == []
    runtime.reach(True)
    assert newest(runtime).state is State.RUNNING


def test_a_dead_sandbox_takes_its_containers_along_and_can_be_made_again(runtime: SimulatedRuntime) -> None:
    start(runtime)
    runtime.kill_sandbox("u1")
    assert (runtime.pod("u1").ready, newest(runtime).state) == (False, State.EXITED)
    start(runtime, 1)
    assert runtime.pod("u1").ready


def test_thousands_of_pods_start_side_by_side_on_many_nodes(clock: HandClock) -> None:
    runtimes = [SimulatedRuntime(clock, f"n{n}") for n in range(100)]
    for number in range(4000):
        pod = PodRef(f"u{number}", "default", f"web-{number}")
        runtime = runtimes[number % 100]
        runtime.start_sandbox(SandboxSpec(pod, "10.244.0.10", "web"))
        runtime.ensure_image("web:1", "IfNotPresent")
        runtime.start_container(pod, ContainerSpec("main", 0, "web:1"))
    for runtime in runtimes:
        pods = runtime.pods()
        assert len(pods) == 40
        assert {(p.ready, p.containers[0].state) for p in pods} == {(True, State.RUNNING)}
