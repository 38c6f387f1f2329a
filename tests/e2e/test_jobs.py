"""Jobs, CronJobs and disruption budgets as users run them: real kubectl, process runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, ready_pods
from tests.e2e.waiting import until as until_within

pytestmark = [pytest.mark.timeout(240), pytest.mark.parametrize("cluster", ["process"], indirect=True)]

SECONDS = 60.0
EXAMPLE = Path(__file__).parents[2] / "examples" / "job.yaml"


def until(cluster: Cluster, condition: Callable[[], object]) -> None:
    until_within(condition, SECONDS, cluster.output)


def job(name: str, command: str, restart: str = "Never", **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "x:1", "command": ["sh", "-c", command]}
    template = {
        "spec": {"restartPolicy": restart, "terminationGracePeriodSeconds": 1, "containers": [container]}
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": template, **spec},
    }


def status(cluster: Cluster, space: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cluster.get("-n", space, "job", name)["status"]
    return found


def apply(cluster: Cluster, space: str, *manifests: dict[str, Any]) -> None:
    cluster.apply(*({**m, "metadata": {**m["metadata"], "namespace": space}} for m in manifests))


def test_the_example_runs_to_its_end_and_its_cron_job_can_be_triggered(cluster: Cluster) -> None:
    space = cluster.namespace("example")
    cluster.kubectl("-n", space, "apply", "-f", str(EXAMPLE))
    cluster.kubectl("-n", space, "wait", "--for=condition=complete", "job/parts", "--timeout=60s")
    logs = cluster.kubectl("-n", space, "logs", "-l", "job-name=parts", "-c", "part", "--prefix")
    assert sorted(line.partition("] ")[2] for line in logs.splitlines()) == [
        f"part {i} of 4" for i in range(4)
    ]
    told = status(cluster, space, "parts")
    assert (told["succeeded"], told["completedIndexes"], told["uncountedTerminatedPods"]) == (4, "0-3", {})

    cluster.kubectl("-n", space, "create", "job", "now", "--from=cronjob/every-five-minutes")
    cluster.kubectl("-n", space, "wait", "--for=condition=complete", "job/now", "--timeout=60s")
    assert cluster.kubectl("-n", space, "logs", "job/now").strip() == "tick"

    cluster.kubectl("-n", space, "delete", "job", "parts", "now")
    until(cluster, lambda: cluster.items("-n", space, "pods") == [])


def test_a_job_that_fails_says_why_and_counts_its_pods(cluster: Cluster) -> None:
    space = cluster.namespace("failing")
    rules = [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]
    apply(
        cluster,
        space,
        job("policy", "exit 42", podFailurePolicy={"rules": rules}, completions=2, parallelism=2),
        job("never", "exit 1", backoffLimit=0),
        job("inside", "exit 1", restart="OnFailure", backoffLimit=1),
        job("late", "sleep 600", activeDeadlineSeconds=1),
    )
    for name, reason in (
        ("policy", "PodFailurePolicy"),
        ("never", "BackoffLimitExceeded"),
        ("inside", "BackoffLimitExceeded"),
        ("late", "DeadlineExceeded"),
    ):
        cluster.kubectl("-n", space, "wait", "--for=condition=failed", f"job/{name}", "--timeout=60s")
        told = status(cluster, space, name)
        assert [c["reason"] for c in told["conditions"]] == [reason, reason]
        assert told["failed"] == (2 if name == "policy" else 1)
        assert (told["terminating"], told["uncountedTerminatedPods"]) == (0, {})
    assert not any(p["metadata"].get("finalizers") for p in cluster.items("-n", space, "pods"))


def test_a_suspended_job_stops_and_goes_on(cluster: Cluster) -> None:
    space = cluster.namespace("suspended")
    apply(cluster, space, job("work", "sleep 600", parallelism=2, completions=2))
    until(cluster, lambda: len(ready_pods(cluster.items("-n", space, "pods"))) == 2)
    cluster.kubectl("-n", space, "patch", "job", "work", "-p", '{"spec":{"suspend":true}}')
    cluster.kubectl("-n", space, "wait", "--for=condition=suspended", "job/work", "--timeout=60s")
    until(cluster, lambda: cluster.items("-n", space, "pods") == [])
    cluster.kubectl("-n", space, "patch", "job", "work", "-p", '{"spec":{"suspend":false}}')
    until(cluster, lambda: len(ready_pods(cluster.items("-n", space, "pods"))) == 2)
    assert "failed" not in status(cluster, space, "work")


def test_drain_respects_the_budget(cluster: Cluster) -> None:
    space = cluster.namespace("drained")
    labels = {"app": "web"}
    container = {"name": "main", "image": "x:1", "command": ["sleep", "600"]}
    apply(
        cluster,
        space,
        {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {
                "replicas": 2, "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
                },
            },
        },
        {
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": labels}},
        },
    )  # fmt: skip
    until(cluster, lambda: cluster.get("-n", space, "pdb", "web")["status"].get("disruptionsAllowed") == 1)
    (node,) = (node["metadata"]["name"] for node in cluster.items("nodes"))
    try:
        drain = cluster.try_kubectl(
            "drain", node, "--ignore-daemonsets", "--force", "--pod-selector=app=web", "--timeout=8s"
        )
        assert drain.returncode != 0
        assert "Cannot evict pod as it would violate the pod's disruption budget." in drain.stderr
        # The only node takes no pods, so one is left, and the other waits for a place.
        assert len(ready_pods(cluster.items("-n", space, "pods"))) == 1
        patch = '{"spec":{"minAvailable":0}}'
        cluster.kubectl("-n", space, "patch", "pdb", "web", "--type=merge", "-p", patch)
        drain = cluster.try_kubectl(
            "drain", node, "--ignore-daemonsets", "--force", "--pod-selector=app=web", "--timeout=60s"
        )
        assert drain.returncode == 0, drain.stderr
        assert ready_pods(cluster.items("-n", space, "pods")) == []
    finally:
        cluster.kubectl("uncordon", node)


def test_a_finished_job_goes_when_its_time_is_over_and_its_pods_with_it(cluster: Cluster) -> None:
    space = cluster.namespace("over")
    apply(cluster, space, job("brief", "true", ttlSecondsAfterFinished=1))
    until(cluster, lambda: cluster.try_kubectl("-n", space, "get", "job", "brief").returncode != 0)
    until(cluster, lambda: cluster.items("-n", space, "pods") == [])
