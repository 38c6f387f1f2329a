"""StatefulSets and DaemonSets as users run them: real kubectl, process runtime."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.cluster import Cluster, ready_pods
from tests.e2e.waiting import until

pytestmark = [pytest.mark.timeout(240), pytest.mark.parametrize("cluster", ["process"], indirect=True)]

# Ends at once when it is asked to.
SLEEPING = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"]


def template(name: str, version: str = "1", command: list[str] | None = None) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": f"{name}:{version}",
        "command": command or SLEEPING,
        "env": [{"name": "VERSION", "value": version}],
    }
    spec = {"terminationGracePeriodSeconds": 3, "containers": [container]}
    return {"metadata": {"labels": {"app": name}}, "spec": spec}


def manifest(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    selector = labels if kind == "ReplicationController" else {"matchLabels": labels}
    return {
        "apiVersion": "v1" if kind == "ReplicationController" else "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": selector, "template": template(name), **spec},
    }


class Space:
    """One namespace of the cluster."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = cluster.namespace(name)

    def kubectl(self, *words: str, **options: Any) -> str:
        return self.cluster.kubectl("-n", self.name, *words, **options)

    def apply(self, *manifests: dict[str, Any]) -> None:
        self.cluster.apply(*({**m, "metadata": {**m["metadata"], "namespace": self.name}} for m in manifests))

    def rolled_out(self, what: str) -> str:
        return self.kubectl("rollout", "status", what, "--timeout=90s")

    def pods(self, app: str) -> dict[str, Any]:
        found = self.cluster.items("pods", "-n", self.name, "-l", f"app={app}")
        return {pod["metadata"]["name"]: pod for pod in found}

    def uids(self, app: str) -> dict[str, str]:
        return {name: pod["metadata"]["uid"] for name, pod in self.pods(app).items()}

    def images(self, app: str) -> dict[str, str]:
        return {name: pod["spec"]["containers"][0]["image"] for name, pod in self.pods(app).items()}


def test_the_pods_of_a_stateful_set_keep_their_names_and_find_each_other(cluster: Cluster) -> None:
    space = Space(cluster, "names")
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "db"},
        "spec": {"clusterIP": "None", "selector": {"app": "db"}, "ports": [{"port": 80}]},
    }
    space.apply(service, manifest("StatefulSet", "db", serviceName="db", replicas=2))
    space.rolled_out("statefulset/db")
    before = space.pods("db")
    assert sorted(before) == ["db-0", "db-1"]
    started = [before[name]["metadata"]["creationTimestamp"] for name in ("db-0", "db-1")]
    assert started == sorted(started)

    ask = ["sh", "-c", "until getent hosts db-0.db db-1.db.names.svc.cluster.local; do sleep 0.2; done"]
    asking = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "ask"},
        "spec": template("ask", command=ask)["spec"],
    }
    asking["spec"]["restartPolicy"] = "Never"
    space.apply(asking)
    addresses = [before[name]["status"]["podIP"] for name in ("db-0", "db-1")]
    until(lambda: all(address in space.kubectl("logs", "ask") for address in addresses), 60, cluster.output)

    space.kubectl("delete", "pod", "db-0", "--wait=false")
    until(lambda: ready_pods(list(space.pods("db").values())) == ["db-0", "db-1"], 60, cluster.output)
    after = space.uids("db")
    assert after["db-0"] != before["db-0"]["metadata"]["uid"]
    assert after["db-1"] == before["db-1"]["metadata"]["uid"]


def test_an_update_of_a_stateful_set_stops_at_the_partition_and_is_undone(cluster: Cluster) -> None:
    space = Space(cluster, "partition")
    space.apply(manifest("StatefulSet", "db", replicas=3))
    space.rolled_out("statefulset/db")

    space.kubectl(
        "patch", "statefulset", "db", "-p", '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}}}}'
    )
    space.kubectl("set", "image", "statefulset/db", "main=db:2")
    space.rolled_out("statefulset/db")
    assert space.images("db") == {"db-0": "db:1", "db-1": "db:1", "db-2": "db:2"}

    space.kubectl(
        "patch", "statefulset", "db", "-p", '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}'
    )
    until(lambda: set(space.images("db").values()) == {"db:2"}, 60, cluster.output)
    space.rolled_out("statefulset/db")
    assert "2" in space.kubectl("rollout", "history", "statefulset/db")

    undone = cluster.try_kubectl("-n", space.name, "rollout", "undo", "statefulset/db")
    assert "rolled back" in undone.stdout
    until(lambda: set(space.images("db").values()) == {"db:1"}, 60, cluster.output)
    again = cluster.try_kubectl("-n", space.name, "rollout", "undo", "statefulset/db", "--to-revision=3")
    assert "current template already matches" in again.stdout


def test_a_stateful_set_scales_from_the_last_and_its_pods_outlive_it_if_asked_to(cluster: Cluster) -> None:
    space = Space(cluster, "scales")
    space.apply(manifest("StatefulSet", "db", replicas=3, podManagementPolicy="Parallel"))
    space.rolled_out("statefulset/db")
    space.kubectl("scale", "statefulset/db", "--replicas=2")
    until(lambda: sorted(space.pods("db")) == ["db-0", "db-1"], 60, cluster.output)

    before = space.uids("db")
    space.kubectl("delete", "statefulset", "db", "--cascade=orphan")
    assert space.uids("db") == before
    space.apply(manifest("StatefulSet", "db", replicas=2))
    space.rolled_out("statefulset/db")
    assert space.uids("db") == before

    space.kubectl("delete", "statefulset", "db", "--cascade=foreground")
    assert space.pods("db") == {}


def test_a_daemon_set_follows_the_nodes_and_rolls_over_them(cluster: Cluster) -> None:
    space = Space(cluster, "daemons")
    space.apply(manifest("DaemonSet", "log"))
    space.rolled_out("daemonset/log")
    assert len(space.pods("log")) == 1

    agent = cluster.add_agent("second")
    until(lambda: len(ready_pods(list(space.pods("log").values()))) == 2, 60, cluster.output)
    assert len({pod["spec"]["nodeName"] for pod in space.pods("log").values()}) == 2

    drained = cluster.try_kubectl("drain", "second", "--ignore-daemonsets", "--force", "--timeout=60s")
    assert drained.returncode == 0, drained.stderr
    assert len(space.pods("log")) == 2

    space.kubectl("set", "image", "daemonset/log", "main=log:2")
    space.rolled_out("daemonset/log")
    assert set(space.images("log").values()) == {"log:2"}
    undone = cluster.try_kubectl("-n", space.name, "rollout", "undo", "daemonset/log")
    assert "rolled back" in undone.stdout
    until(lambda: set(space.images("log").values()) == {"log:1"}, 60, cluster.output)

    cluster.kubectl("taint", "node", "second", "example.com/off=true:NoExecute")
    until(lambda: len(space.pods("log")) == 1, 60, cluster.output)
    assert space.cluster.get("daemonset/log", "-n", space.name)["status"]["desiredNumberScheduled"] == 1
    agent.terminate()
    agent.wait()
    cluster.kubectl("delete", "node", "second")


def test_a_replication_controller_keeps_its_pods(cluster: Cluster) -> None:
    space = Space(cluster, "controllers")
    space.apply(manifest("ReplicationController", "old", replicas=2))
    until(lambda: len(ready_pods(list(space.pods("old").values()))) == 2, 60, cluster.output)

    space.kubectl("scale", "rc/old", "--replicas=1")
    until(lambda: len(space.pods("old")) == 1, 60, cluster.output)
    assert "old" in space.kubectl("get", "all")
    space.kubectl("delete", "rc/old")
    until(lambda: not space.pods("old"), 60, cluster.output)
