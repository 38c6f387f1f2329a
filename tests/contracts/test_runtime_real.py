"""The part of Runtime's contract that only real containers can show: files, environment, commands, sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.contracts.runtime_subjects import SLEEPER, Program, Subject, eventually, uid
from workers.runtime.mounts import Mount
from workers.runtime.protocol import ContainerError, ContainerSpec, LogOptions, Runtime, State


@pytest.fixture
def subject(real: Subject) -> Subject:
    return real


def printed(subject: Subject, runtime: Runtime, script: str, **more: object) -> str:
    """What a script prints in a container of its own."""
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    runtime.start_container(sandbox.pod, subject.container(Program(script, {}), **more))
    eventually(lambda: runtime.pod(uid(1)).containers[0].state is State.EXITED, "the script ends")
    return b"".join(runtime.logs(sandbox.pod, "main", LogOptions())).decode()


def test_a_container_has_its_environment_and_folder(subject: Subject, runtime: Runtime) -> None:
    said = printed(subject, runtime, 'echo "$GREETING"; pwd', env={"GREETING": "a b='c'"}, working_dir="/tmp")
    assert said == "a b='c'\n/tmp\n"


def test_a_container_sees_its_pods_names_and_volumes(
    subject: Subject, runtime: Runtime, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("value\n")
    mounts = (
        Mount(str(tmp_path), "/beanpole-test/deep/data", read_only=True),
        Mount(str(tmp_path), "/mnt/rw"),
    )
    script = (
        "cat /etc/hosts /etc/resolv.conf /beanpole-test/deep/data/key;"
        "touch /beanpole-test/deep/data/new 2>/dev/null || echo read-only; echo written >/mnt/rw/out"
    )
    said = printed(subject, runtime, script, mounts=mounts)
    sandbox = subject.sandbox(1)
    assert said == sandbox.hosts + sandbox.resolv_conf + "value\nread-only\n"
    assert (tmp_path / "out").read_text() == "written\n"
    assert not Path("/beanpole-test").exists()


def test_a_running_container_sees_new_names_at_once(subject: Subject, runtime: Runtime) -> None:
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    state = runtime.start_container(sandbox.pod, subject.container())

    def seen() -> str:
        return runtime.exec(sandbox.pod, state.id, ["cat", "/etc/hosts"], 20)[1].decode()

    longer = sandbox.hosts + "10.96.0.10\tweb web.default\n"
    for hosts in (longer, sandbox.hosts, "127.0.0.1\tlocalhost\n"):
        runtime.refresh(sandbox.pod, hosts)
        assert seen() == hosts
    runtime.remove_pod(sandbox.pod)
    runtime.refresh(sandbox.pod, longer)
    assert subject.leftovers() == []


def test_a_command_runs_inside(subject: Subject, runtime: Runtime) -> None:
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    state = runtime.start_container(sandbox.pod, subject.container(SLEEPER, env={"WHO": "me"}))
    say = ("/bin/sh", "-c", "echo out $WHO; echo err >&2; cat /etc/hosts; exit 4")
    code, output = runtime.exec(sandbox.pod, state.id, say, 10)
    # An engine keeps order within a stream, not between the two.
    assert code == 4
    assert sorted(output.splitlines()) == sorted([b"out me", b"err", sandbox.hosts.strip().encode()])
    code, output = runtime.exec(sandbox.pod, state.id, ("/bin/sh", "-c", "head -c 50000 /dev/zero"), 10)
    assert (code, len(output)) == (0, 10 * 1024)
    with pytest.raises(TimeoutError):
        runtime.exec(sandbox.pod, state.id, ("sleep", "1000"), 0.3)
    assert runtime.pod(uid(1)).containers[0].state is State.RUNNING


def test_a_command_that_is_not_there_is_told_and_leaves_nothing(subject: Subject, runtime: Runtime) -> None:
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    spec = ContainerSpec("main", 0, "beanpole-test/busybox:1", ("/no/such/program",))
    with pytest.raises(ContainerError, match="/no/such/program") as refusal:
        runtime.start_container(sandbox.pod, spec)
    assert refusal.value.reason == "RunContainerError"
    assert runtime.pod(uid(1)).containers == ()


def test_a_start_that_was_cut_short_is_finished(subject: Subject, runtime: Runtime) -> None:
    sandbox, spec = subject.sandbox(1), subject.container()
    runtime.start_sandbox(sandbox)
    subject.interrupted_start(runtime, sandbox, spec)
    second = subject.runtime()
    assert [c.state for c in second.pod(uid(1)).containers] == [State.CREATED]
    state = second.start_container(sandbox.pod, spec)
    assert (state.state, state.attempt) == (State.RUNNING, 0)
    assert len(second.pod(uid(1)).containers) == 1


def test_open_connections_from_outside_are_counted(subject: Subject, runtime: Runtime) -> None:
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    runtime.start_container(sandbox.pod, subject.container(subject.server(), env={"POD_IP": sandbox.address}))
    assert runtime.connections(sandbox.pod) == 0

    def connect() -> socket.socket | None:
        try:
            return socket.create_connection((sandbox.address, 8099), 2)
        except OSError:
            return None

    opened: list[socket.socket] = []
    eventually(lambda: opened.append(c) or True if (c := connect()) else False, "the server listens")
    opened[0].sendall(b"ping\n")
    assert opened[0].recv(5) == b"ping\n"
    assert runtime.connections(sandbox.pod) == 1
    opened[0].close()
    eventually(lambda: runtime.connections(sandbox.pod) == 0, "the connection is gone")


def test_a_process_that_leaves_its_group_goes_with_its_container(subject: Subject, runtime: Runtime) -> None:
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    script = "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo away; sleep 0.1; exit 0"
    state = runtime.start_container(sandbox.pod, subject.container(Program(script, {})))
    eventually(lambda: runtime.pod(uid(1)).containers[0].state is State.EXITED, "the container ends")
    runtime.remove_container(sandbox.pod, state.id)
    runtime.remove_pod(sandbox.pod)
    eventually(lambda: subject.leftovers() == [], "nothing is left")


def test_what_children_used_counts_after_they_ended(subject: Subject, runtime: Runtime) -> None:
    script = "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; echo ended; sleep 1000"
    sandbox = subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    runtime.start_container(sandbox.pod, subject.container(Program(script, {})))
    eventually(lambda: b"".join(runtime.logs(sandbox.pod, "main", LogOptions())), "the child has ended")
    assert runtime.usage().containers[0].cpu > 20_000_000
