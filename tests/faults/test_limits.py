"""A container takes more than it may have: it alone is ended, and says why."""

from __future__ import annotations

import pytest

from tests.e2e.waiting import until
from tests.faults.conftest import node_on
from tests.faults.node import FaultyNode, pod
from tests.faults.own_engine import OwnEngine

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(60)]


def test_a_container_out_of_memory_is_restarted_and_says_so(node: FaultyNode) -> None:
    greedy = "sleep 0.1; x=x; while :; do x=$x$x; done"
    uid = node.run(pod(greedy, resources={"limits": {"memory": "16Mi"}}))
    other = node.run(pod())
    until(lambda: node.waiting(uid).get("reason") == "CrashLoopBackOff", 30, lambda: node.tell(uid))
    ended = node.entry(uid)["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
    assert node.entry(uid)["restartCount"] >= 1
    assert node.api.told("BackOff", uid)
    assert (node.is_ready(other), node.entry(other)["restartCount"]) == (True, 0)


def test_a_container_out_of_processes_harms_no_other(
    faulty: OwnEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = "i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i+1)); done; sleep 1000"
    with node_on(faulty, monkeypatch, pod_pids=20) as node:
        uid, other = node.run(pod(bomb)), node.started(pod())
        until(lambda: node.entry(uid).get("restartCount", 0) > 0, 20, lambda: node.tell(uid))
        assert node.entry(uid)["lastState"]["terminated"]["exitCode"] != 0
        assert b"can't fork" in node.printed(uid, 0)
        assert (node.is_ready(other), node.entry(other)["restartCount"]) == (True, 0)
