"""Somebody removes what the agent made: it is made again, and users are told."""

from __future__ import annotations

import contextlib
import socket
import subprocess

import docker
import docker.errors
import pytest

from tests.e2e.waiting import until
from tests.faults.node import FaultyNode, pod
from tests.faults.own_engine import OwnEngine
from workers.agent.node import readiness

# Can be connected to.
SERVES = "trap 'exit 143' TERM; httpd -f -p 8080 & wait"

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(60)]


def test_a_container_that_was_removed_is_replaced(node: FaultyNode, faulty: OwnEngine) -> None:
    uid = node.started(pod())
    before = node.container_id(uid)
    with contextlib.closing(faulty.client()) as client:
        client.remove_container(before, force=True)
    until(lambda: node.is_ready(uid, restarts=1), 20, lambda: node.tell(uid))
    assert node.container_id(uid) != before
    assert "terminated" in node.entry(uid)["lastState"]


def test_a_container_removed_while_no_agent_looks_is_replaced(node: FaultyNode, faulty: OwnEngine) -> None:
    uid = node.started(pod())
    before = node.container_id(uid)
    node.end()
    with contextlib.closing(faulty.client()) as client:
        client.remove_container(before, force=True)
    node.begin()
    until(lambda: node.is_ready(uid, restarts=1), 20, lambda: node.tell(uid))
    (said,) = node.api.told("ContainerStatusUnknown", uid)
    assert before in said


def test_a_sandbox_that_was_removed_is_replaced_with_its_containers(
    node: FaultyNode, faulty: OwnEngine
) -> None:
    uid = node.started(pod())
    before, address = node.container_id(uid), node.status(uid)["podIP"]
    with contextlib.closing(faulty.client()) as client:
        client.remove_container(node.sandbox(uid), force=True)
        until(lambda: node.is_ready(uid, restarts=1), 20, lambda: node.tell(uid))
        assert node.container_id(uid) != before
        sandbox = client.inspect_container(node.sandbox(uid))
        now = client.inspect_container(node.container_id(uid))
    assert now["HostConfig"]["NetworkMode"] == f"container:{sandbox['Id']}"
    assert node.status(uid)["podIP"] == address
    assert node.api.told("SandboxChanged", uid)


def test_a_whole_pod_that_was_removed_is_made_again(node: FaultyNode, faulty: OwnEngine) -> None:
    uid = node.started(pod())
    with contextlib.closing(faulty.client()) as client:
        for each in (node.sandbox(uid), node.container_id(uid)):
            client.remove_container(each, force=True)
    until(lambda: node.is_ready(uid, restarts=1), 20, lambda: node.tell(uid))
    assert node.api.told("SandboxChanged", uid)


@pytest.mark.parametrize("lost", ["network", "bridge"])
def test_pods_whose_network_is_removed_are_put_into_a_new_one_and_live_on(
    node: FaultyNode, faulty: OwnEngine, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(readiness, "LOOK", 0.3)
    node.agent._dialogue._readiness.look()
    uids = [node.started(pod(SERVES)) for _ in range(2)]
    with contextlib.closing(faulty.client()) as client:
        before = client.inspect_network(node.owner.network)["Id"]
        if lost == "network":
            # As `docker network prune` does: what the agent fastened itself, the engine doesn't count.
            client.remove_network(node.owner.network)
        else:
            subprocess.run(["ip", "link", "delete", f"br-{before[:12]}"], check=True)
        until(lambda: node.api.told("NetworkNotReady"), 20, lambda: node.tell(uids[0]))
        until(lambda: _network(node, client) not in ("", before), 20, lambda: node.tell(uids[0]))
        for uid in uids:
            until(lambda uid=uid: _answers(node, uid, client), 20, lambda uid=uid: node.tell(uid))
            assert node.is_ready(uid, restarts=0)
        another = node.started(pod(SERVES))
        until(lambda: _answers(node, another, client), 20, lambda: node.tell(another))


def test_pods_that_the_engine_linked_are_made_again_with_their_network(
    node: FaultyNode, faulty: OwnEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [{"containerPort": 80, "hostPort": port, "hostIP": "127.0.0.1"} for port in (18411, 18412)]
    uids = [node.started(pod(ports=[port])) for port in ports]
    monkeypatch.setattr(readiness, "LOOK", 0.3)
    node.agent._dialogue._readiness.look()
    with contextlib.closing(faulty.client()) as client:
        for uid in uids:
            client.disconnect_container_from_network(node.sandbox(uid), node.owner.network, force=True)
        with contextlib.suppress(docker.errors.NotFound):
            client.remove_network(node.owner.network)
        for uid in uids:
            until(lambda uid=uid: node.is_ready(uid, restarts=1), 20, lambda uid=uid: node.tell(uid))
            shown = client.inspect_container(node.sandbox(uid))
            assert list(shown["NetworkSettings"]["Networks"]) == [node.owner.network]
    assert node.api.told("NetworkNotReady")
    assert all(node.api.told("SandboxChanged", uid) for uid in uids)


def _network(node: FaultyNode, client: docker.APIClient) -> str:
    """The id of the node's network; empty while it has none."""
    try:
        return str(client.inspect_network(node.owner.network)["Id"])
    except docker.errors.NotFound:
        return ""


def _answers(node: FaultyNode, uid: str, client: docker.APIClient) -> bool:
    """Whether a pod can be connected to by the node's bridge; nothing is to leave the machine while there is none."""
    bridge = f"br-{_network(node, client)[:12]}"
    try:
        with socket.socket() as line:
            line.settimeout(2)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bridge.encode())
            line.connect((node.status(uid)["podIP"], 8080))
    except OSError:
        return False
    return True


def test_an_image_removed_before_its_container_is_made_is_told(node: FaultyNode, faulty: OwnEngine) -> None:
    """The agent knows that it had the image, and must not rely on it."""
    with contextlib.closing(faulty.client()) as client:
        client.tag("beanpole-test/busybox:1", "beanpole-test/fleeting", "1")
        present = node.started(pod(image="beanpole-test/fleeting:1", imagePullPolicy="Never"))
        node.deleted(present)
        client.remove_image("beanpole-test/fleeting:1")
        uid = node.run(pod(image="beanpole-test/fleeting:1", imagePullPolicy="Never"))
        until(lambda: node.waiting(uid).get("reason") == "ErrImageNeverPull", 20, lambda: node.tell(uid))
        assert any(
            "not present with pull policy of Never" in m for m in node.api.told("ErrImageNeverPull", uid)
        )
        client.tag("beanpole-test/busybox:1", "beanpole-test/fleeting", "1")
        node.pass_time(uid, 15)
        until(lambda: node.is_ready(uid), 20, lambda: node.tell(uid))
        node.deleted(uid)
        client.remove_image("beanpole-test/fleeting:1")
