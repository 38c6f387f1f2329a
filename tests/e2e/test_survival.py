"""What dies is replaced: programs, agents, nodes, and the whole machine's worth of them."""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e.cluster import ROOT, Cluster, ready_pods
from tests.e2e.waiting import until

pytestmark = [pytest.mark.timeout(240)]


def web(cluster: Cluster, namespace: str) -> None:
    cluster.namespace(namespace)
    cluster.kubectl("-n", namespace, "apply", "-f", str(ROOT / "examples/web.yaml"))
    cluster.kubectl("-n", namespace, "rollout", "status", "deployment/web", "--timeout=90s")


def test_a_lost_node_is_noticed_and_its_pods_replaced_on_others(cluster: Cluster) -> None:
    (own,) = cluster.items("nodes")
    agent = cluster.add_agent("spare")
    until(lambda: "spare" in ready_nodes(cluster), 30, cluster.output)
    cluster.kubectl("cordon", own["metadata"]["name"])
    try:
        web(cluster, "lost-node")
        pods = cluster.items("pods", "-n", "lost-node")
        assert {pod["spec"]["nodeName"] for pod in pods} == {"spare"}
    finally:
        cluster.kubectl("uncordon", own["metadata"]["name"])
    agent.kill()
    agent.wait()
    until(lambda: "spare" not in ready_nodes(cluster), 30, cluster.output)

    def replaced() -> bool:
        live = [
            p for p in cluster.items("pods", "-n", "lost-node") if "deletionTimestamp" not in p["metadata"]
        ]
        return len(ready_pods(live)) == 3 and {p["spec"]["nodeName"] for p in live} == {
            own["metadata"]["name"]
        }

    until(replaced, 60, cluster.output)
    # The node comes back, and what it still ran is cleaned up.
    cluster.add_agent("spare")
    until(lambda: "spare" in ready_nodes(cluster), 30, cluster.output)
    until(lambda: len(cluster.items("pods", "-n", "lost-node")) == 3, 60, cluster.output)
    cluster.kubectl("delete", "namespace", "lost-node")


def ready_nodes(cluster: Cluster) -> list[str]:
    return [
        node["metadata"]["name"]
        for node in cluster.items("nodes")
        if any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions", ()))
    ]


def test_every_program_that_is_killed_comes_back_and_pods_never_notice(cluster: Cluster) -> None:
    web(cluster, "killed-programs")
    before = {
        p["metadata"]["uid"]: p["status"]["containerStatuses"][0]["containerID"]
        for p in cluster.items("pods", "-n", "killed-programs")
    }
    for words, pid in cluster.programs().items():
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: pid not in cluster.programs().values(), 20)
        until(lambda: cluster.try_kubectl("get", "--raw", "/readyz").returncode == 0, 40, cluster.output)
        until(lambda: len(cluster.programs()) >= 4, 20, lambda words=words: f"{words} did not come back")
        # A write before and after shows that nothing acknowledged is lost, and that work goes on.
        cluster.kubectl("-n", "killed-programs", "scale", "deployment/web", "--replicas=4")
        until(
            lambda: len(ready_pods(cluster.items("pods", "-n", "killed-programs"))) == 4, 60, cluster.output
        )
        cluster.kubectl("-n", "killed-programs", "scale", "deployment/web", "--replicas=3")
        until(lambda: len(cluster.items("pods", "-n", "killed-programs")) == 3, 60, cluster.output)
    after = {
        p["metadata"]["uid"]: p["status"]["containerStatuses"][0]["containerID"]
        for p in cluster.items("pods", "-n", "killed-programs")
    }
    assert set(after.items()) & set(before.items())
    assert all(
        p["status"]["containerStatuses"][0]["restartCount"] == 0
        for p in cluster.items("pods", "-n", "killed-programs")
    )
    cluster.kubectl("delete", "namespace", "killed-programs")


def test_stopping_and_starting_again_keeps_the_cluster(cluster: Cluster) -> None:
    web(cluster, "resumed")
    before = sorted(p["metadata"]["uid"] for p in cluster.items("pods", "-n", "resumed"))
    cluster.stop()
    cluster.lines.clear()
    cluster.start()
    until(lambda: len(ready_pods(cluster.items("pods", "-n", "resumed"))) == 3, 40, cluster.output)
    assert sorted(p["metadata"]["uid"] for p in cluster.items("pods", "-n", "resumed")) == before
    cluster.kubectl("delete", "namespace", "resumed")
