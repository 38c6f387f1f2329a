"""`kubectl top`, and an autoscaler that goes by what pods really use: real kubectl, process runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, running
from tests.e2e.waiting import until as until_within

pytestmark = [pytest.mark.timeout(300)]

# Works a little while the file is there: about a tenth of a cpu.
WORK = (
    "while :; do if [ -e {file} ]; then i=0; while [ $i -lt 15000 ]; do i=$((i+1)); done; fi; sleep 0.1; done"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster whose agent measures often."""
    with running("process", BEANPOLE_EXCHANGE="1", BEANPOLE_USAGE="2") as made:
        yield made


def until(cluster: Cluster, condition: Callable[[], object]) -> None:
    until_within(condition, 90, cluster.output, every=0.5)


def deployment(name: str, command: str) -> dict[str, Any]:
    container = {
        "name": "main", "image": "x:1", "command": ["sh", "-c", command],
        "resources": {"requests": {"cpu": "40m", "memory": "8Mi"}},
    }  # fmt: skip
    labels = {"app": name}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }  # fmt: skip


def autoscaler(name: str) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": 50}
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 1, "maxReplicas": 3,
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }  # fmt: skip


def put(cluster: Cluster, space: str, manifest: dict[str, Any]) -> None:
    cluster.apply({**manifest, "metadata": {**manifest["metadata"], "namespace": space}})


def top(cluster: Cluster, *words: str) -> list[list[str]]:
    """The lines of `kubectl top`, in words; none before anything is known."""
    done = cluster.try_kubectl("top", *words, "--no-headers")
    return [line.split() for line in done.stdout.splitlines()] if done.returncode == 0 else []


def replicas(cluster: Cluster, space: str) -> int:
    found: int = cluster.get("-n", space, "deployment", "web")["spec"]["replicas"]
    return found


def test_pods_that_work_get_more_and_that_rest_fewer(cluster: Cluster, tmp_path: Path) -> None:
    busy = tmp_path / "busy"
    busy.touch()
    space = cluster.namespace("busy")
    put(cluster, space, deployment("web", WORK.format(file=busy)))
    until(cluster, lambda: top(cluster, "pod", "-n", space))
    put(cluster, space, autoscaler("web"))
    until(cluster, lambda: replicas(cluster, space) > 1)
    (_, _, *targets) = cluster.kubectl("-n", space, "get", "hpa", "web", "--no-headers").split()
    assert targets[0] == "cpu:"
    used, _, wanted = targets[1].partition("/")
    assert int(used.rstrip("%")) > 50
    assert wanted == "50%"
    until(cluster, lambda: len(top(cluster, "pod", "-n", space)) > 1)
    busy.unlink()
    until(cluster, lambda: replicas(cluster, space) == 1)
    status = cluster.get("-n", space, "hpa", "web")["status"]
    said = {each["type"]: (each["status"], each["reason"]) for each in status["conditions"]}
    assert said["ScalingActive"] == ("True", "ValidMetricFound")
    assert status["currentMetrics"][0]["resource"]["current"]["averageUtilization"] <= 50
    told = {event["reason"] for event in cluster.items("-n", space, "events")}
    assert "SuccessfulRescale" in told


def test_top_shows_pods_containers_and_nodes(cluster: Cluster) -> None:
    space = cluster.namespace("shown")
    for name, command in (("idle", "sleep 1000"), ("work", WORK.format(file="/"))):
        put(cluster, space, deployment(name, command))
    until(cluster, lambda: len(top(cluster, "pod", "-n", space)) == 2)
    first, second = top(cluster, "pod", "-n", space, "--sort-by=cpu")
    assert first[0].startswith("work-")
    assert int(first[1].rstrip("m")) > int(second[1].rstrip("m"))
    assert [line[0] for line in top(cluster, "pod", "-n", space, "-l", "app=idle")] == [second[0]]
    assert top(cluster, "pod", first[0], "-n", space)[0][0] == first[0]
    assert [space, first[0], "main"] in [line[:3] for line in top(cluster, "pod", "-A", "--containers")]
    (node,) = top(cluster, "node")
    assert node[0] == cluster.items("nodes")[0]["metadata"]["name"]
    assert int(node[1].rstrip("m")) > 0
    assert node[2].endswith("%")
    assert node[3].endswith("Mi")


def test_who_may_view_a_namespace_sees_what_is_used_there_and_not_elsewhere(cluster: Cluster) -> None:
    space = cluster.namespace("viewed")
    cluster.kubectl("-n", space, "create", "rolebinding", "see", "--clusterrole=view", "--user=joe")
    assert cluster.kubectl("auth", "can-i", "list", "pods.metrics.k8s.io", "-n", space, "--as=joe") == "yes\n"
    refused = cluster.try_kubectl("top", "pod", "-n", "default", "--as=joe")
    assert 'cannot list resource "pods" in API group "metrics.k8s.io"' in refused.stderr
