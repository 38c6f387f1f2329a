"""What is the process runtime's own: supervisors, adoption from files, logs, the private view."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contracts.runtime_subjects import (
    SLEEPER,
    ProcessSubject,
    Program,
    eventually,
    processes_marked,
    uid,
)
from tests.trees import deepened
from workers.runtime.features import Feature
from workers.runtime.log_limits import LogLimits
from workers.runtime.mounts import EngineVolume, Mount
from workers.runtime.process import ProcessRuntime, launch
from workers.runtime.process.procfs import MARK, Process
from workers.runtime.protocol import (
    ContainerError,
    ContainerSpec,
    ContainerState,
    LogOptions,
    State,
    Unsupported,
)
from workers.runtime.security import Seccomp, Security


def run(node: ProcessSubject, runtime: ProcessRuntime, script: str, **more: object) -> ContainerState:
    sandbox = node.sandbox(1)
    runtime.start_sandbox(sandbox)
    return runtime.start_container(sandbox.pod, node.container(Program(script, {}), **more))


def container(runtime: ProcessRuntime) -> ContainerState:
    pod = runtime.pod(uid(1))
    assert pod is not None
    return pod.containers[-1]


def printed(node: ProcessSubject, runtime: ProcessRuntime, **options: object) -> bytes:
    return b"".join(runtime.logs(node.sandbox(1).pod, "main", LogOptions(**options)))  # type: ignore[arg-type]


def recorded(node: ProcessSubject):  # type: ignore[no-untyped-def]
    found = node.pod_folder(node.sandbox(1).pod).container("main", 0).recorded()
    assert found is not None
    return found


def marks(node: ProcessSubject) -> list[str]:
    return processes_marked(f"{MARK}={uid(1)}_main_0")


def test_a_killed_supervisor_takes_its_container_along(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    run(process_node, runtime, "sleep 1000 & setsid sleep 1000 & wait")
    told: list[str] = []
    threading.Thread(target=lambda: told.extend(runtime.events()), daemon=True).start()
    eventually(lambda: len(marks(process_node)) == 3, "all three run")
    recorded(process_node).shim.kill(signal.SIGKILL)
    eventually(lambda: marks(process_node) == [], "no orphan is left")
    eventually(lambda: told == [uid(1)], "the death is told")
    assert (container(runtime).exit_code, container(runtime).state) == (137, State.EXITED)
    assert "supervised" in container(runtime).message


def test_a_supervisor_killed_while_no_agent_ran_leaves_no_orphan(process_node: ProcessSubject) -> None:
    first = process_node.runtime()
    run(process_node, first, "setsid sleep 1000 & wait")
    first.close()
    recorded(process_node).shim.kill(signal.SIGKILL)
    second = process_node.runtime()
    assert next(second.events()) == uid(1)
    assert container(second).exit_code == 137
    eventually(lambda: marks(process_node) == [], "no orphan is left")


def test_containers_outlive_an_agent_that_is_killed(process_node: ProcessSubject) -> None:
    script = f"""
import os
from pathlib import Path
from tests.contracts.runtime_subjects import ProcessSubject, CLOCK
from workers.runtime.process import ProcessRuntime
subject = ProcessSubject.__new__(ProcessSubject)
runtime = ProcessRuntime(Path({str(process_node.folder)!r}), CLOCK)
sandbox = subject.sandbox(1)
runtime.start_sandbox(sandbox)
runtime.start_container(sandbox.pod, subject.container())
os.kill(os.getpid(), 9)
"""
    root = Path(__file__).parents[2]
    agent = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, check=False
    )
    assert agent.returncode == -signal.SIGKILL
    runtime = process_node.runtime()
    assert container(runtime).state is State.RUNNING
    runtime.stop_container(process_node.sandbox(1).pod, container(runtime).id, 20)
    assert container(runtime).exit_code == 143


def test_two_supervisors_never_run_one_container(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    run(process_node, runtime, "exec sleep 1000")
    folder = process_node.pod_folder(process_node.sandbox(1).pod).container("main", 0)
    before = recorded(process_node)
    launch.start(folder.path, "", launch.Launch("", "/", ["/bin/sleep", "1000"], {MARK: folder.id}))
    assert recorded(process_node) == before
    assert len(marks(process_node)) == 1


def test_a_supervisor_is_small(process_node: ProcessSubject) -> None:
    run(process_node, process_node.runtime(), "sleep 1000")
    status = Path(f"/proc/{recorded(process_node).shim.pid}/status").read_text()
    assert int(status.split("VmRSS:")[1].split()[0]) < 9_500


def test_another_process_with_a_recorded_pid_is_left_alone(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    state = run(process_node, runtime, "sleep 1000")
    folder = process_node.pod_folder(process_node.sandbox(1).pod).container("main", 0)
    real = recorded(process_node)
    runtime.close()
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as stranger:
        reused = Process(stranger.pid, 1)
        folder.record(replace(real, shim=reused, main=reused))
        second = process_node.runtime()
        assert container(second).state is State.EXITED
        second.stop_container(process_node.sandbox(1).pod, state.id, 0)
        assert stranger.poll() is None
        stranger.kill()


def test_after_a_reboot_nothing_is_taken_for_running(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    run(process_node, runtime, "sleep 1000")
    folder = process_node.pod_folder(process_node.sandbox(1).pod).container("main", 0)
    folder.record(replace(recorded(process_node), boot="another boot"))
    assert container(runtime).exit_code == 137
    folder.record(replace(recorded(process_node), boot=runtime._boot))


def test_a_log_is_bounded_and_keeps_its_end(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    loud = "yes 0123456789012345678901234567890123456789 | head -n 40000; echo the end"
    run(process_node, runtime, loud, log=LogLimits(200_000, 3))
    eventually(lambda: container(runtime).state is State.EXITED, "it is done")
    folder = process_node.pod_folder(process_node.sandbox(1).pod).container("main", 0).path
    sizes = [path.stat().st_size for path in folder.glob("log*")]
    assert len(sizes) == 3
    assert max(sizes) <= 200_000
    assert 100_000 < len(printed(process_node, runtime)) < 600_000
    assert printed(process_node, runtime, tail=1) == b"the end\n"


def test_long_and_unfinished_lines_come_out_as_they_went_in(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    run(
        process_node, runtime, "head -c 50000 /dev/zero | tr '\\0' x; echo; echo err >&2; printf 'no newline'"
    )
    eventually(lambda: container(runtime).state is State.EXITED, "it is done")
    assert b"x" * 50000 + b"\n" in printed(process_node, runtime)
    assert printed(process_node, runtime).endswith(b"no newline")
    assert b"err\n" in printed(process_node, runtime)


def test_output_is_flushed_by_sigpipe_as_in_any_shell(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    run(process_node, runtime, "(yes; echo unreachable >&2) | head -n 1; echo ok")
    eventually(lambda: container(runtime).state is State.EXITED, "it is done")
    assert sorted(printed(process_node, runtime).split()) == [b"ok", b"unreachable", b"y"]


def test_a_pod_without_command_is_refused_by_field(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    sandbox = process_node.sandbox(1)
    runtime.start_sandbox(sandbox)
    with pytest.raises(Unsupported, match=r"spec.containers\[main\].command"):
        runtime.start_container(sandbox.pod, ContainerSpec("main", 0, "nginx:1"))
    assert runtime.pod(uid(1)).containers == ()


def test_pods_need_loopback_addresses(process_node: ProcessSubject) -> None:
    with pytest.raises(ContainerError, match="BEANPOLE_POD_CIDR"):
        process_node.runtime().prepare("10.244.0.0/24")


def test_every_container_knows_its_pods_address(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    run(process_node, runtime, 'echo "$POD_IP $BEANPOLE_POD_IP $HOSTNAME"')
    eventually(lambda: container(runtime).state is State.EXITED, "it is done")
    sandbox = process_node.sandbox(1)
    assert (
        printed(process_node, runtime).decode() == f"{sandbox.address} {sandbox.address} {sandbox.hostname}\n"
    )


def test_a_user_namespace_gives_volumes_too(
    process_node: ProcessSubject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("value\n")
    monkeypatch.setattr(launch, "detect_mode", lambda: "user")
    runtime = process_node.runtime()
    state = run(
        process_node,
        runtime,
        "cat /beanpole/x/key /etc/hosts; sleep 1000",
        mounts=(Mount(str(tmp_path), "/beanpole/x", True),),
    )
    expected = b"value\n" + process_node.sandbox(1).hosts.encode()
    eventually(lambda: printed(process_node, runtime) == expected, "the volume is read")
    inside = runtime.exec(process_node.sandbox(1).pod, state.id, ("cat", "/beanpole/x/key"), 10)
    assert inside == (0, b"value\n")


def test_without_the_right_to_mount_a_volume_is_refused_by_name(
    process_node: ProcessSubject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launch, "detect_mode", lambda: "")
    runtime = process_node.runtime()
    with pytest.raises(Unsupported, match="/data"):
        run(process_node, runtime, "true", mounts=(Mount(str(tmp_path), "/data"),))
    state = run(process_node, runtime, SLEEPER.script)
    assert runtime.exec(process_node.sandbox(1).pod, state.id, ("sh", "-c", "exit 7"), 10)[0] == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_container_can_run_as_another_user(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    state = run(
        process_node,
        runtime,
        "id -u; id -g; sleep 1000",
        run_as_user=65534,
        run_as_group=65534,
        working_dir="/",
    )
    eventually(lambda: printed(process_node, runtime) == b"65534\n65534\n", "it says who it is")
    assert runtime.exec(process_node.sandbox(1).pod, state.id, ("id", "-u"), 10) == (0, b"65534\n")


def test_a_missing_working_directory_is_told(process_node: ProcessSubject) -> None:
    with pytest.raises(ContainerError, match="/no/such/folder"):
        run(process_node, process_node.runtime(), "true", working_dir="/no/such/folder")
    assert process_node.pod_folder(process_node.sandbox(1).pod).containers() == []


def test_a_volume_of_an_engine_is_refused_by_name(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    share = Mount("", "/data", volume=EngineVolume("share", "local", (("type", "nfs"),)))
    with pytest.raises(Unsupported, match=r"spec.containers\[main\].volumeMounts\[/data\]"):
        run(process_node, runtime, "true", mounts=(share,))


def test_a_pod_is_removed_however_deep_its_containers_folders_are(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    run(process_node, runtime, "exec sleep 1000")
    with deepened(process_node.pod_folder(process_node.sandbox(1).pod).container("main", 0).path / "work"):
        runtime.remove_pod(process_node.sandbox(1).pod)
        assert process_node.leftovers() == []


def test_what_the_machine_refuses_is_told_as_a_containers_trouble(process_node: ProcessSubject) -> None:
    runtime = process_node.runtime()
    sandbox = process_node.sandbox(1)
    pods = process_node.folder / "pods"
    pods.write_text("in the way")
    with pytest.raises(ContainerError, match="Not a directory") as refused:
        runtime.start_sandbox(sandbox)
    assert refused.value.reason == "FailedCreatePodSandBox"
    pods.unlink()

    runtime.start_sandbox(sandbox)
    in_the_way = pods / sandbox.pod.uid / "containers" / "main.0"
    in_the_way.write_text("in the way")
    with pytest.raises(ContainerError, match="Not a directory") as refused:
        runtime.start_container(sandbox.pod, process_node.container())
    assert refused.value.reason == "CreateContainerError"
    in_the_way.unlink()


def test_a_profile_need_not_allow_what_only_the_start_of_a_container_asks(
    process_node: ProcessSubject,
) -> None:
    runtime = process_node.runtime()
    if Feature.SECCOMP_PROFILES not in runtime.features:
        pytest.skip("no filters of system calls here")
    forbidden = {"names": ["getppid"], "action": "SCMP_ACT_ERRNO"}
    profile = json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [forbidden]})
    run(process_node, runtime, "echo ran", security=Security(seccomp=Seccomp.FILE, profile=profile))
    eventually(lambda: container(runtime).state is State.EXITED, "it ends")
    assert (container(runtime).exit_code, printed(process_node, runtime)) == (0, b"ran\n")
