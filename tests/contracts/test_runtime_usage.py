"""The part of Runtime's contract that says what containers and the machine use."""

from __future__ import annotations

import pytest

from tests.contracts.runtime_subjects import (
    BUSY,
    Program,
    Subject,
    eventually,
    uid,
)
from workers.runtime.protocol import ContainerState, ContainerUsage, Runtime

IDLE = Program("trap 'exit 143' TERM; sleep 1000 & wait", {"cpu": "0", "memory": "1Mi"})
MILLISECOND = 1_000_000


def started(subject: Subject, runtime: Runtime, program: Program, number: int = 1) -> ContainerState:
    sandbox = subject.sandbox(number, program)
    runtime.start_sandbox(sandbox)
    return runtime.start_container(sandbox.pod, subject.container(program))


def used(runtime: Runtime, number: int = 1) -> ContainerUsage | None:
    return next((each for each in runtime.usage().containers if each.pod.uid == uid(number)), None)


def cpu(runtime: Runtime, number: int = 1) -> int:
    found = used(runtime, number)
    return found.cpu if found else 0


def test_a_running_container_is_measured_under_its_name(subject: Subject, runtime: Runtime) -> None:
    state = started(subject, runtime, IDLE)
    # A shell and what it waits for, once what started them is gone; a simulated one has none.
    pids = 0 if subject.name == "simulated" else 2
    eventually(
        lambda: (found := used(runtime)) and found.memory > 0 and found.pids == pids,
        "it holds some memory, for its own processes",
    )
    found = used(runtime)
    assert found is not None
    assert (found.pod, found.container, found.id) == (subject.sandbox(1).pod, "main", state.id)
    assert found.started_at == pytest.approx(state.started_at, abs=0.01)
    assert 0 < found.memory < 100 << 20


def test_what_a_busy_container_used_grows_and_an_idle_one_does_not_share_in_it(
    subject: Subject, runtime: Runtime
) -> None:
    started(subject, runtime, BUSY, 1)
    started(subject, runtime, IDLE, 2)
    eventually(lambda: cpu(runtime) > 100 * MILLISECOND, "it has used a tenth of a second")
    before = cpu(runtime)
    eventually(lambda: cpu(runtime) > before + 100 * MILLISECOND, "it uses more")
    assert cpu(runtime, 2) < before


def test_an_ended_container_uses_nothing(subject: Subject, runtime: Runtime) -> None:
    state = started(subject, runtime, BUSY)
    assert used(runtime) is not None
    runtime.stop_container(subject.sandbox(1).pod, state.id, 0)
    assert used(runtime) is None
    runtime.remove_pod(subject.sandbox(1).pod)
    assert runtime.usage().containers == ()


def test_a_restarted_agents_runtime_measures_what_runs(subject: Subject, runtime: Runtime) -> None:
    started(subject, runtime, BUSY)
    eventually(lambda: cpu(runtime) > 0, "it used some")
    before = cpu(runtime)
    assert cpu(subject.runtime()) >= before


def test_the_machine_uses_at_least_what_its_containers_do(subject: Subject, runtime: Runtime) -> None:
    started(subject, runtime, BUSY)
    eventually(lambda: cpu(runtime) > 100 * MILLISECOND, "it has used a tenth of a second")
    found = runtime.usage()
    assert found.cpu >= sum(each.cpu for each in found.containers)
    assert found.memory >= sum(each.memory for each in found.containers) > 0
