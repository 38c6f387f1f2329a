"""What runtimes do of what a container may use, each as far as its `features` claim it."""

from __future__ import annotations

import pytest

from tests.contracts.runtime_subjects import SLEEPER, Program, Subject, eventually
from workers.runtime.disk_usage import TellsDisk
from workers.runtime.features import Feature
from workers.runtime.protocol import ContainerState, PodRef, Runtime, State
from workers.runtime.resizing import Resizes
from workers.runtime.resources import Limits, Resources

MIB = 1 << 20
HELD = {"cpu_request_millis": 100, "cpu_millis": 250, "memory_bytes": 64 * MIB}
# Take memory until they are stopped: the container itself, or a child of it, after which it goes on.
ALONE = Program("exec tail /dev/zero", {})
PARENT = Program("tail /dev/zero; echo survived; exit 7", {})


def needs(runtime: Runtime, *wanted: Feature) -> None:
    lacking = [feature.name for feature in wanted if feature not in runtime.features]
    if lacking:
        pytest.skip(f"the {runtime.name} runtime claims no {', '.join(lacking)} here")


def started(
    real: Subject, runtime: Runtime, program: Program = SLEEPER, **more: object
) -> tuple[PodRef, ContainerState]:
    sandbox = real.sandbox(1, program)
    runtime.start_sandbox(sandbox)
    return sandbox.pod, runtime.start_container(sandbox.pod, real.container(program, **more))


def shown(runtime: Runtime, pod: PodRef) -> ContainerState:
    state = runtime.pod(pod.uid)
    assert state is not None
    return state.containers[-1]


def test_a_running_container_is_held_to_other_limits_without_a_restart(real: Subject) -> None:
    runtime = real.runtime()
    needs(runtime, Feature.RESIZE)
    assert isinstance(runtime, Resizes)
    pod, before = started(real, runtime, **HELD)
    assert before.limits == Limits(102, 250, 64 * MIB)

    for wanted in (Limits(204, 500, 128 * MIB), Limits(51, 100, 32 * MIB)):
        runtime.resize_container(pod, before.id, wanted)
        for seen_by in (runtime, real.runtime()):
            after = shown(seen_by, pod)
            assert (after.limits, after.id, after.state) == (wanted, before.id, State.RUNNING)

    assert 0 < runtime.memory_in_use(pod, before.id) < 32 * MIB


@pytest.mark.parametrize(("eater", "code"), [(ALONE, 137), (PARENT, 7)], ids=["itself", "child"])
def test_that_memory_ran_out_is_shown_whoever_was_the_victim(
    real: Subject, eater: Program, code: int
) -> None:
    runtime = real.runtime()
    needs(runtime, Feature.MEMORY_LIMIT)
    sandbox = real.sandbox(1, eater)
    runtime.start_sandbox(sandbox)

    def told(attempt: int) -> bool:
        runtime.start_container(sandbox.pod, real.container(eater, attempt, memory_bytes=16 * MIB))
        eventually(lambda: shown(runtime, sandbox.pod).state is State.EXITED, "it ends")
        found = shown(runtime, sandbox.pod)
        assert found.exit_code == code
        return found.oom_killed

    # An engine misses the kernel's notice now and then when the machine is busy.
    assert any(told(attempt) for attempt in range(10))


def test_processes_are_counted_and_the_kernel_knows_who_goes_first(real: Subject) -> None:
    runtime = real.runtime()
    needs(runtime, Feature.PIDS_LIMIT)
    more = Resources(pids=12, oom_score_adj=700)
    pod, container = started(real, runtime, resources=more)

    many = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep 0.4 & done; wait"
    code, said = runtime.exec(pod, container.id, ("sh", "-c", many), 20)
    assert code != 0
    assert b"fork" in said
    assert runtime.exec(pod, container.id, ("cat", "/proc/self/oom_score_adj"), 10) == (0, b"700\n")


def test_protection_that_can_not_be_had_keeps_nothing_from_running(real: Subject) -> None:
    runtime = real.runtime()

    _, container = started(real, runtime, resources=Resources(oom_score_adj=-997))

    assert container.state is State.RUNNING


def test_what_a_container_writes_and_prints_is_counted(real: Subject) -> None:
    runtime = real.runtime()
    needs(runtime, Feature.EPHEMERAL_STORAGE)
    assert isinstance(runtime, TellsDisk)
    writes = f"dd if=/dev/zero of=file bs=65536 count=32 2>/dev/null; yes | head -c {MIB}; {SLEEPER.script}"
    pod, _ = started(real, runtime, Program(writes, {}))

    eventually(lambda: runtime.disk_used(pod)["main"] >= 3 * MIB, "it is counted")
    assert runtime.disk_used(pod)["main"] < 16 * MIB
