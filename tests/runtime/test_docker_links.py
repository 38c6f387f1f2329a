"""A pod's link to its node's network, made by the agent where it may, else by the engine."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.utils import version_gte

from tests.contracts.runtime_subjects import SLEEPER, DockerSubject, eventually
from workers.runtime.docker import DockerRuntime, links
from workers.runtime.docker.labels import Owner
from workers.runtime.docker.links import Links
from workers.runtime.protocol import ContainerError, SandboxSpec
from workers.runtime.security import HostPort

pytestmark = pytest.mark.xdist_group("docker")


def inside(runtime: DockerRuntime, node: DockerSubject, sandbox: SandboxSpec, command: str) -> str:
    """What a command prints in a container of the pod."""
    state = runtime.start_container(sandbox.pod, node.container(SLEEPER))
    code, said = runtime.exec(sandbox.pod, state.id, ("sh", "-c", command), 10)
    assert code == 0, said
    return said.decode()


def shown(engine: docker.APIClient, sandbox: SandboxSpec) -> dict[str, Any]:
    """The pod's sandbox in the engine's list, before it has containers."""
    (entry,) = engine.containers(filters={"label": f"beanpole.dev/pod-uid={sandbox.pod.uid}"})
    return dict(entry)


def networks(engine: docker.APIClient, sandbox: SandboxSpec) -> list[str]:
    """What the engine says that the sandbox is linked to."""
    return list(shown(engine, sandbox)["NetworkSettings"]["Networks"])


def link_of(engine: docker.APIClient, sandbox: SandboxSpec) -> Path:
    """The end on the machine."""
    return links.LINKS / links.name(shown(engine, sandbox)["Id"])


def test_a_pod_is_linked_without_the_engine(docker_node: DockerSubject, engine: docker.APIClient) -> None:
    runtime, sandbox = docker_node.runtime(), docker_node.sandbox(1)
    runtime.start_sandbox(sandbox)
    assert runtime.pod(sandbox.pod.uid).ready
    assert networks(engine, sandbox) == ["none"]
    gateway = sandbox.address.rpartition(".")[0] + ".1"
    said = inside(
        runtime, docker_node, sandbox, f"ip -4 addr show eth0; ip route; cat /sys/class/net/eth0/address; "
        f"ping -c 1 -W 5 {gateway} >/dev/null; cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6"
    )  # fmt: skip
    assert f"inet {sandbox.address}/24" in said
    assert f"default via {gateway} dev eth0" in said
    # Drawn from the address, so that who knew its last owner finds its next.
    assert "02:42:" + ":".join(f"{int(byte):02x}" for byte in sandbox.address.split(".")) in said
    assert said.endswith("\n1\n")


def test_nothing_of_a_link_is_left_when_its_pod_is_gone(
    docker_node: DockerSubject, engine: docker.APIClient
) -> None:
    runtime, sandbox = docker_node.runtime(), docker_node.sandbox(1)
    runtime.start_sandbox(sandbox)
    link = link_of(engine, sandbox)
    assert link.exists()
    runtime.remove_pod(sandbox.pod)
    # The kernel takes a network away after its last process.
    eventually(lambda: not link.exists(), "the link goes with its pod")


def test_nothing_is_sent_to_whom_an_address_belonged_to_before(
    docker_node: DockerSubject, engine: docker.APIClient
) -> None:
    """The kernel removes the link of a pod that is gone when it gets to it; one that lives on stands for it here."""
    runtime, former = docker_node.runtime(), docker_node.sandbox(1)
    runtime.start_sandbox(former)
    link = link_of(engine, former)
    assert link.exists()
    now = replace(docker_node.sandbox(2), address=former.address)
    runtime.start_sandbox(now)
    assert not link.exists()
    assert runtime.pod(now.pod.uid).ready


def test_a_sandbox_whose_agent_died_before_it_was_linked_is_made_anew(
    docker_node: DockerSubject, engine: docker.APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = docker_node.sandbox(1)
    with monkeypatch.context() as dying:
        dying.setattr(Links, "fasten", _die)
        with pytest.raises(Died):
            docker_node.runtime().start_sandbox(sandbox)
    runtime = docker_node.runtime()
    assert not runtime.pod(sandbox.pod.uid).ready
    runtime.start_sandbox(sandbox)
    assert runtime.pod(sandbox.pod.uid).ready
    assert sandbox.address in inside(runtime, docker_node, sandbox, "ip -4 addr show eth0")


def test_a_link_that_the_machine_refuses_leaves_no_sandbox(
    docker_node: DockerSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, sandbox = docker_node.runtime(), docker_node.sandbox(1)
    with monkeypatch.context() as failing:
        failing.setattr(links, "_on_bridge", lambda link, _: f"link set dev {link} master nowhere\n")
        with pytest.raises(ContainerError, match="no link to the node's network.*nowhere"):
            runtime.start_sandbox(sandbox)
    assert runtime.pod(sandbox.pod.uid) is None
    runtime.start_sandbox(sandbox)
    assert runtime.pod(sandbox.pod.uid).ready


@pytest.mark.parametrize("lost", ["as it was fastened", "from sight"])
def test_a_sandbox_that_is_lost_is_told_and_later_ones_are_linked_all_the_same(
    docker_node: DockerSubject, engine: docker.APIClient, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    runtime, sandboxes = docker_node.runtime(), [docker_node.sandbox(number) for number in (1, 2, 3)]
    runtime.start_sandbox(sandboxes[0])
    really = Links.fasten

    def fasten(self: Links, container_id: str, pid: int, address: str) -> None:
        if lost == "as it was fastened":
            engine.kill(container_id)
            engine.wait(container_id)
        really(self, container_id, pid, address)

    with monkeypatch.context() as losing:
        losing.setattr(Links, "fasten", fasten)
        if lost == "from sight":
            # It has died, and the engine is yet to notice.
            losing.setattr(links, "holds", lambda pid, container_id: False)
        with pytest.raises(ContainerError, match="the sandbox ended at once"):
            runtime.start_sandbox(sandboxes[1])
    assert runtime.pod(sandboxes[1].pod.uid) is None
    runtime.start_sandbox(sandboxes[2])
    assert networks(engine, sandboxes[2]) == ["none"]


def test_a_pod_is_linked_where_settings_can_not_be_changed(
    docker_node: DockerSubject, engine: docker.APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Can be read, but not written to.
    monkeypatch.setattr(links, "_IPV6", Path("/proc/version"))
    runtime, sandbox = docker_node.runtime(), docker_node.sandbox(1)
    runtime.start_sandbox(sandbox)
    assert networks(engine, sandbox) == ["none"]
    assert runtime.pod(sandbox.pod.uid).ready


@pytest.mark.parametrize("own", ["the pod's class", "the engine's usual runtime"])
def test_a_pod_with_a_kernel_of_its_own_is_linked_by_the_engine(
    docker_node: DockerSubject, engine: docker.APIClient, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    assert not links.can_be_seen("runsc")
    # The engine of the tests has no such runtime, so that its own plays the part.
    monkeypatch.setattr(links, "_SEE_LINKS", ("", "runc") if own == "the pod's class" else ("",))
    runtime, sandbox = docker_node.runtime(), docker_node.sandbox(1)
    if own == "the pod's class":
        monkeypatch.setattr(links, "_SEE_LINKS", ("",))
        sandbox = replace(sandbox, handler="runc")
    runtime.start_sandbox(sandbox)
    assert networks(engine, sandbox) == [Owner(docker_node.cluster, "n1").network]
    assert runtime.pod(sandbox.pod.uid).ready


def test_a_pod_may_have_settings_of_its_link(docker_node: DockerSubject, engine: docker.APIClient) -> None:
    if version_gte(engine.api_version, "1.48"):
        pytest.skip("this engine refuses settings of links")
    runtime = docker_node.runtime()
    sandbox = replace(docker_node.sandbox(1), sysctls=(("net.ipv4.conf.eth0.arp_notify", "1"),))
    runtime.start_sandbox(sandbox)
    assert inside(runtime, docker_node, sandbox, "cat /proc/sys/net/ipv4/conf/eth0/arp_notify") == "1\n"


@pytest.mark.parametrize("why", ["not root", "another machine", "BusyBox"])
def test_an_agent_that_may_not_leaves_the_link_to_the_engine(
    docker_node: DockerSubject,
    engine: docker.APIClient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    why: str,
) -> None:
    if why == "not root":
        monkeypatch.setattr(links.os, "geteuid", lambda: 1000)
    elif why == "BusyBox":
        program = tmp_path / "ip"
        program.write_text("#!/bin/sh\necho \"ip: unrecognized option '$1'\" >&2; exit 1\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    else:
        # The number of a process there is none here, or another's.
        monkeypatch.setattr(links, "holds", lambda pid, container_id: False)
    runtime = docker_node.runtime()
    for number in (1, 2):
        sandbox = docker_node.sandbox(number)
        runtime.start_sandbox(sandbox)
        assert runtime.pod(sandbox.pod.uid).ready
        assert networks(engine, sandbox) == [f"beanpole-{docker_node.cluster}-n1"]
        assert sandbox.address in inside(runtime, docker_node, sandbox, "ip -4 addr show eth0")


def test_a_network_of_another_range_is_kept_while_pods_are_in_it(docker_node: DockerSubject) -> None:
    runtime, sandbox = docker_node.runtime(), docker_node.sandbox(1)
    runtime.start_sandbox(sandbox)
    elsewhere = docker_node.cidr.replace(".9.0/", ".8.0/")
    with pytest.raises(ContainerError, match="and pods in it"):
        runtime.prepare(elsewhere)
    assert runtime.has_network(docker_node.cidr)
    runtime.remove_pod(sandbox.pod)
    runtime.prepare(elsewhere)
    assert runtime.has_network(elsewhere)


@pytest.mark.parametrize("looked", ["while an agent looked", "while none did"])
def test_a_network_whose_bridge_was_lost_is_made_anew_whoever_linked_its_pods(
    docker_node: DockerSubject, engine: docker.APIClient, looked: str
) -> None:
    runtime, fastened = docker_node.runtime(), docker_node.sandbox(1)
    ports = (HostPort(18413, 80, address="127.0.0.1"),)
    by_engine = replace(docker_node.sandbox(2), host_ports=ports)
    for sandbox in (fastened, by_engine):
        runtime.start_sandbox(sandbox)
    network = Owner(docker_node.cluster, "n1").network
    bridge = f"br-{engine.inspect_network(network)['Id'][:12]}"
    subprocess.run(["ip", "link", "delete", bridge], check=True, timeout=20)
    if looked == "while none did":
        runtime = docker_node.runtime()
    else:
        assert not runtime.has_network(docker_node.cidr)
        runtime.prepare(docker_node.cidr)
    bridge = f"br-{engine.inspect_network(network)['Id'][:12]}"
    assert (link_of(engine, fastened) / "master").readlink().name == bridge
    # The other is made again in its turn.
    assert not runtime.pod(by_engine.pod.uid).ready
    runtime.start_sandbox(by_engine)
    for sandbox in (fastened, by_engine):
        assert runtime.pod(sandbox.pod.uid).ready
    assert networks(engine, by_engine) == [network]


class Died(BaseException):
    """An agent was killed here."""


def _die(*_: object) -> None:
    raise Died
