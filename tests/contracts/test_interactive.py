"""The contract of Runtime: talking to commands, to containers and to ports of pods."""

from __future__ import annotations

import os
import time

import pytest

from tests.contracts.runtime_subjects import (
    SLEEPER,
    Program,
    Subject,
    eventually,
)
from workers.runtime.interactive import STDERR, STDOUT, Interactive
from workers.runtime.protocol import ContainerError, ContainerState, LogOptions, Runtime

REPEATS = Program("cat", {})
TALKS = Program("sleep 0.3; read line; echo got $line; read line; echo got $line; exit 3", {})


def started(subject: Subject, runtime: Runtime, program: Program = SLEEPER, **more: object) -> ContainerState:
    sandbox = subject.sandbox(1, program)
    runtime.start_sandbox(sandbox)
    return runtime.start_container(sandbox.pod, subject.container(program, **more))


def said(line: Interactive, until: bytes | None = None) -> dict[int, bytes]:
    """What comes, by stream: until the end, or until this was said."""
    found = {STDOUT: b"", STDERR: b""}
    deadline = time.monotonic() + 20
    while (piece := line.read(0.2)) is not None:
        stream, data = piece
        found[stream] += data
        if until is not None and until in found[STDOUT]:
            break
        assert time.monotonic() < deadline, found
    return found


def type_in(line: Interactive, data: bytes) -> None:
    while data:
        data = data[line.write(data, 5.0) :]


def test_what_is_typed_comes_back_and_the_command_ends_with_its_input(subject: Subject) -> None:
    runtime = subject.runtime()
    state = started(subject, runtime)
    line = runtime.command(subject.sandbox(1).pod, state.id, ["cat"], stdin=True, tty=False)
    type_in(line, b"hello")
    assert said(line, until=b"hello")[STDOUT] == b"hello"
    line.end_input()
    assert said(line) == {STDOUT: b"", STDERR: b""}
    assert line.exit_code() == 0
    line.close()


def test_a_container_that_does_not_run_is_not_talked_to(subject: Subject) -> None:
    runtime = subject.runtime()
    state = started(subject, runtime)
    pod = subject.sandbox(1).pod
    runtime.stop_container(pod, state.id, 0)
    with pytest.raises(ContainerError):
        runtime.command(pod, state.id, ["cat"], stdin=True, tty=False)
    runtime.remove_container(pod, state.id)
    with pytest.raises(ContainerError):
        runtime.attach(pod, state.id, stdin=False, tty=False)


def test_where_nothing_listens_a_connection_is_refused(subject: Subject) -> None:
    runtime = subject.runtime()
    started(subject, runtime)
    with pytest.raises(ConnectionRefusedError):
        runtime.connect(subject.sandbox(1).pod, 9, 5.0)


def test_output_and_errors_are_told_apart_and_the_exit_code_is_known(real: Subject) -> None:
    runtime = real.runtime()
    state = started(real, runtime)
    script = "echo out; echo err >&2; exit 7"
    line = runtime.command(real.sandbox(1).pod, state.id, ["sh", "-c", script], stdin=False, tty=False)
    assert said(line) == {STDOUT: b"out\n", STDERR: b"err\n"}
    assert line.exit_code() == 7
    line.close()


def test_a_lot_of_output_arrives_whole(real: Subject) -> None:
    runtime = real.runtime()
    state = started(real, runtime)
    script = "head -c 5000000 /dev/zero"
    line = runtime.command(real.sandbox(1).pod, state.id, ["sh", "-c", script], stdin=False, tty=False)
    assert len(said(line)[STDOUT]) == 5_000_000
    line.close()


def test_a_terminal_has_a_size_and_knows_ctrl_c(real: Subject) -> None:
    runtime = real.runtime()
    state = started(real, runtime)
    line = runtime.command(real.sandbox(1).pod, state.id, ["sh"], stdin=True, tty=True)
    line.resize(101, 31)
    type_in(line, b"stty size; echo on$((1+1))\n")
    assert b"31 101" in said(line, until=b"on2")[STDOUT]
    type_in(line, b"sleep 1000\n")
    said(line, until=b"sleep 1000")
    time.sleep(0.2)
    type_in(line, b"\x03")
    type_in(line, b"exit 5\n")
    said(line)
    assert line.exit_code() == 5
    line.close()


def test_a_command_whose_user_left_does_not_run_on(real: Subject) -> None:
    runtime = real.runtime()
    state = started(real, runtime)
    pod = real.sandbox(1).pod
    # A process runtime sees the commands of all others on this machine.
    seconds = 8000 + os.getpid() % 1000 + (1000 if real.name == "docker" else 0)
    command = ["sh", "-c", f"echo begun; exec sleep {seconds}"]
    line = runtime.command(pod, state.id, command, stdin=True, tty=False)
    said(line, until=b"begun")
    line.close()

    def listed() -> bool:
        code, _ = runtime.exec(
            pod, state.id, ["sh", "-c", f"ps ax | grep -v grep | grep 'sleep {seconds}'"], 5.0
        )
        return code != 0

    eventually(listed, "the command is gone")


def test_a_container_with_an_input_is_talked_to_by_one_runtime_after_another(real: Subject) -> None:
    runtime = real.runtime()
    state = started(real, runtime, TALKS, stdin=True)
    pod = real.sandbox(1).pod
    line = runtime.attach(pod, state.id, stdin=True, tty=False)
    type_in(line, b"one\n")
    assert said(line, until=b"got one")[STDOUT] == b"got one\n"
    line.close()
    again = real.runtime()
    line = again.attach(pod, state.id, stdin=True, tty=False)
    type_in(line, b"two\n")
    assert b"got two" in said(line)[STDOUT]
    line.close()
    eventually(
        lambda: (shown := again.pod(pod.uid)) is not None and shown.containers[0].exit_code == 3,
        "it has ended",
    )
    assert b"".join(again.logs(pod, "main", LogOptions())) == b"got one\ngot two\n"


def test_an_input_for_one_user_ends_with_that_user(real: Subject) -> None:
    runtime = real.runtime()
    state = started(real, runtime, REPEATS, stdin=True, stdin_once=True)
    pod = real.sandbox(1).pod
    line = runtime.attach(pod, state.id, stdin=True, tty=False)
    type_in(line, b"typed\n")
    line.end_input()
    assert said(line)[STDOUT] == b"typed\n"
    line.close()
    eventually(
        lambda: (shown := runtime.pod(pod.uid)) is not None and shown.containers[0].finished_at > 0,
        "it has ended",
    )


def test_a_container_s_terminal_is_one(real: Subject) -> None:
    runtime = real.runtime()
    state = started(real, runtime, Program("sh", {}), stdin=True, tty=True)
    line = runtime.attach(real.sandbox(1).pod, state.id, stdin=True, tty=True)
    line.resize(99, 22)
    type_in(line, b"stty size; echo on$((1+1))\n")
    assert b"22 99" in said(line, until=b"on2")[STDOUT]
    type_in(line, b"exit 0\n")
    said(line)
    line.close()


def test_who_attaches_hears_what_is_said_from_then_on(real: Subject) -> None:
    runtime = real.runtime()
    program = Program("while :; do echo out; echo err >&2; sleep 0.1; done", {})
    state = started(real, runtime, program)
    line = runtime.attach(real.sandbox(1).pod, state.id, stdin=False, tty=False)
    found = {STDOUT: b"", STDERR: b""}
    eventually(lambda: _heard(line, found), "both streams are heard")
    line.close()


def test_a_port_that_listens_is_connected_to(real: Subject) -> None:
    runtime = real.runtime()
    started(real, runtime, real.server())
    pod = real.sandbox(1).pod

    def answers() -> bool:
        try:
            with runtime.connect(pod, 8099, 2.0) as sock:
                sock.sendall(b"hello\n")
                return sock.recv(100) == b"hello\n"
        except OSError:
            return False

    eventually(answers, "the port answers")


def _heard(line: Interactive, found: dict[int, bytes]) -> bool:
    piece = line.read(0.2)
    assert piece is not None
    found[piece[0]] += piece[1]
    return b"out\n" in found[STDOUT] and b"err\n" in found[STDERR]
