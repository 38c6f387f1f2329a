"""The contract of Runtime, tried on every implementation."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contracts.runtime_subjects import (
    BRIEF,
    FAST,
    SLEEPER,
    SPEAKER,
    STUBBORN_ONE,
    Program,
    Subject,
    eventually,
    uid,
)
from workers.runtime import images
from workers.runtime.image_store import KeepsImages, NamesImages
from workers.runtime.protocol import ContainerError, ContainerState, LogOptions, PodState, Runtime, State


def started(
    subject: Subject, runtime: Runtime, program: Program = SLEEPER, number: int = 1
) -> ContainerState:
    """A pod with one container running `program`."""
    sandbox = subject.sandbox(number, program)
    runtime.start_sandbox(sandbox)
    return runtime.start_container(sandbox.pod, subject.container(program))


def shown(runtime: Runtime, number: int = 1) -> PodState:
    pod = runtime.pod(uid(number))
    assert pod is not None
    return pod


def heard(runtime: Runtime) -> queue.Queue[str]:
    """What `events` says from now on, gathered by a thread of its own."""
    said: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for died in runtime.events():
            said.put(died)

    threading.Thread(target=listen, daemon=True).start()
    return said


def ended(runtime: Runtime) -> bool:
    return shown(runtime).containers[-1].state is State.EXITED


def test_a_started_container_runs_in_a_ready_pod(subject: Subject, runtime: Runtime) -> None:
    state = started(subject, runtime)
    pod = shown(runtime)
    assert (state.state, state.name, state.attempt) == (State.RUNNING, "main", 0)
    assert (pod.ready, pod.address, pod.pod) == (True, subject.sandbox(1).address, subject.sandbox(1).pod)
    assert [(c.id, c.state, c.started_at > 0) for c in pod.containers] == [(state.id, State.RUNNING, True)]
    assert [p.pod.uid for p in runtime.pods()] == [uid(1)]


def test_a_pod_that_is_not_there_is_none(runtime: Runtime) -> None:
    assert runtime.pod(uid(77)) is None
    assert runtime.pods() == []


def test_a_container_that_ends_shows_its_exit_code_and_times(subject: Subject, runtime: Runtime) -> None:
    started(subject, runtime, BRIEF)
    eventually(lambda: ended(runtime), "the container ends")
    container = shown(runtime).containers[0]
    assert container.exit_code == 3
    assert container.finished_at >= container.started_at > 0


def test_a_killed_process_shows_the_signal_in_its_exit_code(subject: Subject, runtime: Runtime) -> None:
    started(subject, runtime)
    subject.kill_process(runtime, subject.sandbox(1).pod)
    eventually(lambda: ended(runtime), "the container is seen dead")
    assert shown(runtime).containers[0].exit_code == 137


def test_stopping_sends_sigterm_first(subject: Subject, runtime: Runtime) -> None:
    state = started(subject, runtime)
    runtime.stop_container(subject.sandbox(1).pod, state.id, 20)
    container = shown(runtime).containers[0]
    assert (container.state, container.exit_code) == (State.EXITED, 143)


def test_one_that_ignores_sigterm_is_killed_when_its_grace_is_over(
    subject: Subject, runtime: Runtime
) -> None:
    state = started(subject, runtime, STUBBORN_ONE)
    pod = subject.sandbox(1).pod
    eventually(lambda: b"deaf" in b"".join(runtime.logs(pod, "main", LogOptions())), "it ignores SIGTERM")
    runtime.stop_container(pod, state.id, 0.5)
    container = shown(runtime).containers[0]
    assert (container.state, container.exit_code) == (State.EXITED, 137)


def test_stopping_without_grace_kills_at_once(subject: Subject, runtime: Runtime) -> None:
    state = started(subject, runtime)
    runtime.stop_container(subject.sandbox(1).pod, state.id, 0)
    assert shown(runtime).containers[0].exit_code == 137


def test_stopping_what_is_dead_or_unknown_does_nothing(subject: Subject, runtime: Runtime) -> None:
    state = started(subject, runtime, FAST)
    eventually(lambda: ended(runtime), "the container ends")
    runtime.stop_container(subject.sandbox(1).pod, state.id, 5)
    runtime.stop_container(subject.sandbox(1).pod, "nonesuch", 5)
    assert shown(runtime).containers[0].exit_code == 3


def test_starting_the_same_again_changes_nothing(subject: Subject, runtime: Runtime) -> None:
    first = started(subject, runtime)
    again = started(subject, runtime)
    assert (again.id, again.started_at) == (first.id, first.started_at)
    assert len(shown(runtime).containers) == 1


def test_an_attempt_that_ended_is_not_run_twice(subject: Subject, runtime: Runtime) -> None:
    first = started(subject, runtime, FAST)
    eventually(lambda: ended(runtime), "the container ends")
    again = runtime.start_container(subject.sandbox(1).pod, subject.container(FAST))
    assert (again.id, again.state, again.exit_code) == (first.id, State.EXITED, 3)


def test_of_dead_attempts_only_the_newest_is_kept(subject: Subject, runtime: Runtime) -> None:
    started(subject, runtime, FAST)
    pod = subject.sandbox(1).pod
    for attempt in (1, 2):
        eventually(lambda: ended(runtime), "the attempt ends")
        runtime.start_container(pod, subject.container(FAST, attempt))
    eventually(lambda: ended(runtime), "the last attempt ends")
    assert [c.attempt for c in shown(runtime).containers] == [1, 2]


def test_a_restarted_agent_finds_what_runs(subject: Subject, runtime: Runtime) -> None:
    state = started(subject, runtime)
    before = shown(runtime)
    runtime.close()
    second = subject.runtime()
    assert second.pods() == [before]
    assert started(subject, second).id == state.id
    second.stop_container(before.pod, state.id, 20)
    assert shown(second).containers[0].exit_code == 143


def test_a_restarted_agent_hears_of_deaths_of_what_it_found(subject: Subject, runtime: Runtime) -> None:
    started(subject, runtime)
    runtime.close()
    second = subject.runtime()
    said = heard(second)
    subject.settle(second)
    subject.kill_process(second, subject.sandbox(1).pod)
    assert said.get(timeout=20) == uid(1)
    assert ended(second)


def test_a_death_is_told_at_once(subject: Subject, runtime: Runtime) -> None:
    said = heard(runtime)
    subject.settle(runtime)
    started(subject, runtime, BRIEF)
    assert said.get(timeout=20) == uid(1)
    assert ended(runtime)


def test_closing_ends_the_events(subject: Subject, runtime: Runtime) -> None:
    listener = threading.Thread(target=lambda: list(runtime.events()), daemon=True)
    listener.start()
    subject.settle(runtime)
    runtime.close()
    listener.join(20)
    assert not listener.is_alive()


def test_the_log_is_what_was_printed(subject: Subject, runtime: Runtime) -> None:
    started(subject, runtime, SPEAKER)
    pod = subject.sandbox(1).pod

    def said(options: LogOptions) -> bytes:
        return b"".join(runtime.logs(pod, "main", options))

    eventually(lambda: said(LogOptions()) == b"one\ntwo\nthree\n", "the log is complete")
    assert said(LogOptions(tail=1)) == b"three\n"
    assert said(LogOptions(tail=0)) == b""
    assert said(LogOptions(limit_bytes=5)) == b"one\nt"
    assert said(LogOptions(since=4_000_000_000.0)) == b""
    first = said(LogOptions(timestamps=True)).splitlines()[0].split(b" ")
    assert (first[0][:2], first[0][-1:], first[1]) == (b"20", b"Z", b"one")


def test_a_followed_log_ends_with_its_container(subject: Subject, runtime: Runtime) -> None:
    state = started(subject, runtime, SPEAKER)
    pod = subject.sandbox(1).pod
    with ThreadPoolExecutor(1) as pool:
        whole = pool.submit(lambda: b"".join(runtime.logs(pod, "main", LogOptions(follow=True))))
        eventually(lambda: b"".join(runtime.logs(pod, "main", LogOptions())).count(b"\n") == 3, "it spoke")
        runtime.stop_container(pod, state.id, 20)
        assert whole.result(20) == b"one\ntwo\nthree\n"


def test_the_log_of_the_attempt_before_can_be_read(subject: Subject, runtime: Runtime) -> None:
    state = started(subject, runtime, SPEAKER)
    pod = subject.sandbox(1).pod
    eventually(lambda: b"".join(runtime.logs(pod, "main", LogOptions())).count(b"\n") == 3, "it spoke")
    runtime.stop_container(pod, state.id, 20)
    runtime.start_container(pod, subject.container(SLEEPER, 1))
    assert b"".join(runtime.logs(pod, "main", LogOptions(attempt=0))) == b"one\ntwo\nthree\n"
    with pytest.raises(KeyError):
        list(runtime.logs(pod, "main", LogOptions(attempt=7)))
    with pytest.raises(KeyError):
        list(runtime.logs(pod, "other", LogOptions()))


def test_removing_a_pod_leaves_nothing(subject: Subject, runtime: Runtime) -> None:
    started(subject, runtime, STUBBORN_ONE)
    runtime.remove_pod(subject.sandbox(1).pod)
    assert runtime.pods() == []
    assert runtime.pod(uid(1)) is None
    eventually(lambda: subject.leftovers() == [], "nothing is left")
    runtime.remove_pod(subject.sandbox(1).pod)


def test_removing_a_container_leaves_its_pod(subject: Subject, runtime: Runtime) -> None:
    state = started(subject, runtime, FAST)
    pod = subject.sandbox(1).pod
    eventually(lambda: ended(runtime), "the container ends")
    runtime.remove_container(pod, state.id)
    assert shown(runtime).containers == ()
    assert shown(runtime).ready
    runtime.remove_container(pod, state.id)


def test_a_container_needs_a_sandbox(subject: Subject, runtime: Runtime) -> None:
    with pytest.raises(ContainerError) as refusal:
        runtime.start_container(subject.sandbox(1).pod, subject.container())
    assert refusal.value.reason == "CreateContainerError"
    assert subject.leftovers() == []


def test_images_are_kept_or_are_names_that_must_be_such(runtime: Runtime) -> None:
    if isinstance(runtime, KeepsImages):
        assert runtime.images.find(images.parse("beanpole-test/absent:1")) is None
        return
    assert isinstance(runtime, NamesImages)
    with pytest.raises(ContainerError) as refusal:
        runtime.ensure_image("Not A Name", "IfNotPresent")
    assert refusal.value.reason == "InvalidImageName"


def test_ten_pods_start_and_go_side_by_side(subject: Subject, runtime: Runtime) -> None:
    with ThreadPoolExecutor(5) as pool:
        states = list(pool.map(lambda n: started(subject, runtime, SLEEPER, n), range(10)))
        assert {s.state for s in states} == {State.RUNNING}
        assert len({p.address for p in runtime.pods() if p.ready}) == 10
        list(pool.map(lambda n: runtime.remove_pod(subject.sandbox(n).pod), range(10)))
    assert runtime.pods() == []
    eventually(lambda: subject.leftovers() == [], "nothing is left")
