"""The engine goes away and comes back: the node says so, and its pods run again."""

from __future__ import annotations

import pytest

from tests.e2e.waiting import until
from tests.faults.node import FaultyNode, pod
from tests.faults.own_engine import OwnEngine

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]


def is_away(node: FaultyNode) -> bool:
    return node.api.ready().get("status") == "False"


def is_back(node: FaultyNode) -> bool:
    return node.api.ready().get("status") == "True"


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_pods_run_again_when_the_engine_does(node: FaultyNode, faulty: OwnEngine, end: str) -> None:
    always, never = node.started(pod()), node.started(pod(restart="Never"))
    getattr(faulty, end)()
    until(lambda: is_away(node), 20, node.tell)
    assert "container runtime is down" in node.api.ready()["message"]
    assert "does not answer" in node.api.ready()["message"]
    faulty.start()
    until(lambda: is_back(node), 20, node.tell)
    until(lambda: node.is_ready(always, restarts=1), 30, lambda: node.tell(always))
    assert node.entry(always)["lastState"]["terminated"]["exitCode"] != 0
    until(lambda: node.status(never)["phase"] == "Failed", 30, lambda: node.tell(never))
    assert node.entry(never)["restartCount"] == 0
    assert node.api.told("SandboxChanged", always)
    assert node.api.told("ContainerRuntimeDown")
    assert node.api.told("NodeNotReady") == ["Node n1 status is now: NodeNotReady"]
    assert "Node n1 status is now: NodeReady" in node.api.told("NodeReady")


def test_pods_do_not_notice_an_engine_that_lets_them_live(node: FaultyNode, faulty: OwnEngine) -> None:
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 1, "failureThreshold": 1}
    try:
        faulty.terminate()
        faulty.start(live_restore=True)
        until(lambda: is_back(node), 20, node.tell)
        uid = node.started(pod(livenessProbe=probe))
        before = node.container_id(uid)
        for end in (faulty.kill, faulty.terminate):
            end()
            until(lambda: is_away(node), 20, node.tell)
            faulty.start(live_restore=True)
            until(lambda: is_back(node), 20, node.tell)
            until(lambda: node.is_ready(uid), 20, lambda: node.tell(uid))
        assert (node.container_id(uid), node.entry(uid)["restartCount"]) == (before, 0)
        assert not node.api.told("Killing", uid)
        # It is known to run, not only believed to: its end is noticed.
        faulty.client().kill(before, "SIGKILL")
        until(lambda: node.is_ready(uid, restarts=1), 20, lambda: node.tell(uid))
        node.deleted(uid)
    finally:
        faulty.terminate()
        faulty.start()


def test_a_pod_deleted_while_the_engine_is_away_goes_when_it_is_back(
    node: FaultyNode, faulty: OwnEngine
) -> None:
    uid = node.started(pod())
    faulty.kill()
    node.delete(uid)
    until(lambda: is_away(node), 20, node.tell)
    assert uid in node.api.pods
    faulty.start()
    until(lambda: uid not in node.api.pods, 30, node.tell)
