"""What is the Docker runtime's own: the sandbox's image, limits, networks, the engine's refusals."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from app.base.clock import SystemClock
from tests.contracts.runtime_subjects import SLEEPER, DockerSubject, Program, eventually
from workers.runtime.docker import DockerRuntime, cgroup, pause
from workers.runtime.mounts import EngineVolume, Mount
from workers.runtime.protocol import ContainerError, ContainerSpec, LogOptions, State

pytestmark = pytest.mark.xdist_group("docker")
BUSYBOX = "beanpole-test/busybox:1"


def start(node: DockerSubject, runtime: DockerRuntime, **more: object):  # type: ignore[no-untyped-def]
    sandbox = node.sandbox(1)
    runtime.start_sandbox(sandbox)
    return runtime.start_container(sandbox.pod, node.container(SLEEPER, **more))


def test_limits_and_user_reach_the_engine(docker_node: DockerSubject, engine: docker.APIClient) -> None:
    runtime = docker_node.runtime()
    state = start(
        docker_node, runtime, cpu_millis=250, cpu_request_millis=100, memory_bytes=64 << 20,
        run_as_user=65534, run_as_group=65534, read_only_root=True,
    )  # fmt: skip
    host = engine.inspect_container(state.id)["HostConfig"]
    assert (host["CpuPeriod"], host["CpuQuota"], host["CpuShares"]) == (100_000, 25_000, 102)
    assert (host["Memory"], host["MemorySwap"]) == (64 << 20, 64 << 20)
    code, said = runtime.exec(
        docker_node.sandbox(1).pod, state.id, ("sh", "-c", "id -u; id -g; touch /x"), 10
    )
    assert code == 1
    # An engine keeps order within a stream, not between the two.
    assert said.split().count(b"65534") == 2
    assert b"Read-only" in said


def test_containers_of_a_pod_share_its_network(docker_node: DockerSubject) -> None:
    runtime = docker_node.runtime()
    sandbox = docker_node.sandbox(1)
    runtime.start_sandbox(sandbox)
    server = ContainerSpec("server", 0, BUSYBOX, ("nc", "-ll", "-p", "7000", "-e", "echo", "hello"))
    runtime.start_container(sandbox.pod, server)
    client = ("sh", "-c", "until nc -w 1 127.0.0.1 7000; do sleep 0.1; done; hostname; hostname -i")
    runtime.start_container(sandbox.pod, ContainerSpec("client", 0, BUSYBOX, client))
    expected = f"hello\n{sandbox.hostname}\n{sandbox.address}\n".encode()
    eventually(
        lambda: b"".join(runtime.logs(sandbox.pod, "client", LogOptions())).endswith(expected), "they talk"
    )


def test_a_pod_that_has_ended_gives_up_its_address_and_keeps_its_log(docker_node: DockerSubject) -> None:
    runtime = docker_node.runtime()
    sandbox = docker_node.sandbox(1)
    runtime.start_sandbox(sandbox)
    runtime.start_container(sandbox.pod, docker_node.container(Program("echo done", {})))
    eventually(lambda: runtime.pod(sandbox.pod.uid).containers[0].state is State.EXITED, "it ends")
    for _ in range(2):
        runtime.free_sandbox(sandbox.pod)
    state = runtime.pod(sandbox.pod.uid)
    assert (state.ready, state.address, len(state.containers)) == (False, "", 1)
    assert b"".join(runtime.logs(sandbox.pod, "main", LogOptions())) == b"done\n"
    # Another pod may have the address.
    other = replace(docker_node.sandbox(2), address=sandbox.address)
    runtime.start_sandbox(other)
    assert runtime.pod(other.pod.uid).ready
    for each in (sandbox.pod, other.pod):
        runtime.remove_pod(each)
    assert docker_node.leftovers() == []


def test_a_dead_sandbox_is_told_and_made_again(docker_node: DockerSubject, engine: docker.APIClient) -> None:
    runtime = docker_node.runtime()
    start(docker_node, runtime)
    sandbox = docker_node.sandbox(1)
    engine.kill(f"beanpole_{docker_node.cluster}_n1_{sandbox.pod.uid}")
    assert next(runtime.events()) == sandbox.pod.uid
    assert not runtime.pod(sandbox.pod.uid).ready
    with pytest.raises(ContainerError, match="no sandbox"):
        runtime.start_container(sandbox.pod, docker_node.container(SLEEPER, 1))
    runtime.start_sandbox(sandbox)
    assert runtime.pod(sandbox.pod.uid).ready
    assert runtime.start_container(sandbox.pod, docker_node.container(SLEEPER, 1)).state is State.RUNNING


def test_an_engine_that_is_down_is_told_with_its_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(ContainerError, match=r"none\.sock") as refusal:
        DockerRuntime("c", "n1", tmp_path, SystemClock())
    assert refusal.value.reason == "RuntimeUnavailable"


def test_a_network_changes_its_range_only_without_pods(docker_node: DockerSubject) -> None:
    other = docker_node.cidr.replace(".9.0/", ".10.0/")
    runtime = docker_node.runtime()
    runtime.prepare(other)
    runtime.prepare(docker_node.cidr)
    start(docker_node, runtime)
    with pytest.raises(ContainerError, match=re.escape(docker_node.cidr)):
        runtime.prepare(other)


def test_a_node_that_gets_the_range_of_a_deleted_one_takes_its_network_away_once_it_is_empty(
    docker_node: DockerSubject, tmp_path: Path
) -> None:
    former = docker_node.runtime()
    former.prepare(docker_node.cidr)
    start(docker_node, former)
    later = DockerRuntime(docker_node.cluster, "n2", tmp_path, SystemClock())
    try:
        with pytest.raises(ContainerError, match=f"{docker_node.cluster}-n1, of a node that was deleted"):
            later.prepare(docker_node.cidr)
        former.remove_pod(docker_node.sandbox(1).pod)
        later.prepare(docker_node.cidr)
    finally:
        later.remove_node()
        later.close()


def test_pods_of_two_nodes_reach_each_other(engine: docker.APIClient, tmp_path: Path) -> None:
    cluster, cidr = "roompair", "10.245.0.0/16"
    nodes = [DockerRuntime(cluster, f"n{n}", tmp_path / str(n), SystemClock(), cidr) for n in (1, 2)]
    subject = DockerSubject(engine, cluster)
    try:
        for number, runtime in enumerate(nodes, 11):
            runtime.prepare(f"10.245.{number}.0/24")
            runtime.prepare(f"10.245.{number}.0/24")
        assert rules(cidr) == 1
        serving, asking = [replace_address(subject, number, f"10.245.{number}.5") for number in (11, 12)]
        nodes[0].start_sandbox(serving)
        nodes[0].start_container(serving.pod, subject.container(Program("nc -ll -p 7000 -e echo hello", {})))
        nodes[1].start_sandbox(asking)
        ask = Program(f"until nc -w 1 {serving.address} 7000; do sleep 0.1; done", {})
        nodes[1].start_container(asking.pod, subject.container(ask))
        said = lambda: b"".join(nodes[1].logs(asking.pod, "main", LogOptions()))  # noqa: E731
        eventually(lambda: said().endswith(b"hello\n"), "the other node's pod answers")
    finally:
        for runtime in nodes:
            runtime.remove_node()
            runtime.close()
        subject.close()
    assert rules(cidr) == 0


def rules(cidr: str) -> int:
    listed = subprocess.run(
        ["iptables", "-S", "DOCKER-USER"], capture_output=True, text=True, check=True
    ).stdout
    return listed.count(f"-s {cidr} -d {cidr}")


def replace_address(subject: DockerSubject, number: int, address: str):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(subject.sandbox(number), address=address)


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", 62), ("aarch64", 183)])
def test_the_sandbox_program_is_a_tiny_executable(architecture: str, machine: int) -> None:
    program = pause.elf(architecture)
    assert program is not None
    assert program[:6] == b"\x7fELF\x02\x01"
    assert int.from_bytes(program[18:20], "little") == machine
    assert len(program) < 256


def test_an_unknown_machine_has_no_own_sandbox_program() -> None:
    assert pause.elf("s390x") is None


def test_a_volume_of_the_engine_outlives_its_pods_and_goes_when_told(
    docker_node: DockerSubject, engine: docker.APIClient
) -> None:
    runtime = docker_node.runtime()
    name = f"beanpole_{docker_node.cluster}_v"
    options = (("device", "tmpfs"), ("o", "size=1m"), ("type", "tmpfs"))
    mount = Mount("", "/data", volume=EngineVolume(name, "local", options))
    state = start(docker_node, runtime, mounts=(mount,))
    shown = engine.inspect_volume(name)
    assert shown["Options"] == dict(options)
    assert shown["Labels"] == {"beanpole.dev/cluster": docker_node.cluster}
    code, said = runtime.exec(docker_node.sandbox(1).pod, state.id, ["grep", " /data ", "/proc/mounts"], 10)
    assert (code, said.split()[0]) == (0, b"tmpfs")
    with pytest.raises(ContainerError, match="in use"):
        runtime.remove_volume(name)
    runtime.remove_pod(docker_node.sandbox(1).pod)
    assert engine.inspect_volume(name)["Name"] == name
    runtime.remove_volume(name)
    runtime.remove_volume(name)
    with pytest.raises(docker.errors.NotFound):
        engine.inspect_volume(name)


def test_where_the_kernels_files_cannot_be_read_the_engine_is_asked(
    docker_node: DockerSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = docker_node.runtime()
    state = start(docker_node, runtime)
    by_files = runtime.usage().containers
    monkeypatch.setattr(cgroup.find, "__defaults__", (Path("/nowhere"), Path("/proc")))
    (asked,) = docker_node.runtime().usage().containers
    assert (asked.id, asked.container, asked.pod) == (state.id, "main", docker_node.sandbox(1).pod)
    assert asked.started_at == by_files[0].started_at
    assert asked.cpu >= by_files[0].cpu > 0
    assert 0 < asked.memory < 100 << 20
