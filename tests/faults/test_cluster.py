"""A whole cluster, as a user starts it, whose engine goes away and comes back; seen by kubectl."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.cluster import Cluster, ready_pods, running
from tests.e2e.waiting import until
from tests.faults.own_engine import OwnEngine
from tests.images.local import BUSYBOX

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(180)]

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "steady"},
    "spec": {
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {
                "name": "web",
                "image": BUSYBOX,
                "imagePullPolicy": "Never",
                "command": ["sh", "-c", "trap 'exit 143' TERM; sleep 1000 & wait"],
            }
        ],
    },
}


@pytest.fixture
def cluster(faulty: OwnEngine) -> Iterator[Cluster]:
    with running("docker", DOCKER_HOST=faulty.url, BEANPOLE_EXCHANGE="1") as made:
        yield made


def test_a_cluster_outlives_its_engine(cluster: Cluster, faulty: OwnEngine) -> None:
    cluster.apply(POD)
    until(lambda: ready_pods(cluster.items("pods")) == ["steady"], 40, cluster.output)
    faulty.kill()
    until(lambda: ready(cluster) == "False", 40, cluster.output)
    faulty.start()
    until(lambda: ready(cluster) == "True", 40, cluster.output)

    def runs_again() -> bool:
        (pod,) = cluster.items("pods")
        return bool(ready_pods([pod])) and pod["status"]["containerStatuses"][0]["restartCount"] == 1

    until(runs_again, 40, cluster.output)
    told = {(e["involvedObject"]["kind"], e["reason"]) for e in cluster.items("events")}
    assert {
        ("Node", "ContainerRuntimeDown"), ("Node", "NodeNotReady"), ("Node", "NodeReady"), ("Pod", "SandboxChanged"),
    } <= told  # fmt: skip
    cluster.kubectl("delete", "pod", "steady")


def ready(cluster: Cluster) -> str:
    (node,) = cluster.items("nodes")
    return str(next(c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready"))
