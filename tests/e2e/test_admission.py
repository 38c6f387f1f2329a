"""Quotas, limits, classes, tokens and webhooks as users meet them: real kubectl, process runtime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.waiting import until
from tests.registry.admission.webhook_server import WebhookServer, denying

pytestmark = [pytest.mark.timeout(240), pytest.mark.parametrize("cluster", ["process"], indirect=True)]

SECONDS = 60.0
LIMITS = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "lr"},
    "spec": {"limits": [{"type": "Container", "default": {"cpu": "200m"}, "max": {"cpu": "1"}}]},
}


def pods(cluster: Cluster, space: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cluster.kubectl("-n", space, "get", "pods", "-o", "json"))[
        "items"
    ]
    return found


def run(cluster: Cluster, space: str, name: str, script: str = "sleep 1000", **spec: Any) -> str:
    container = {"name": "c", "image": "x:1", "command": ["sh", "-c", script]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1, **spec},
    }
    done = cluster.try_kubectl("-n", space, "create", "-f", "-", stdin=json.dumps(pod))
    return done.stdout + done.stderr


def test_a_deployment_gets_as_many_pods_as_its_quota_allows_and_the_rest_when_it_grows(
    cluster: Cluster,
) -> None:
    space = cluster.namespace("quota")
    cluster.kubectl("-n", space, "create", "quota", "q", "--hard=pods=2,requests.cpu=1")
    cluster.kubectl("-n", space, "create", "-f", "-", stdin=json.dumps(LIMITS))
    cluster.kubectl(
        "-n", space, "create", "deployment", "web", "--image=x:1", "--replicas=3", "--", "sleep", "1000"
    )
    until(lambda: "ReplicaFailure" in cluster.kubectl("-n", space, "describe", "rs"), SECONDS, cluster.output)
    assert len(pods(cluster, space)) == 2
    described = cluster.kubectl("-n", space, "describe", "rs")
    assert "is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2" in described

    def shown() -> bool:
        lines = [line.split() for line in cluster.kubectl("-n", space, "describe", "quota", "q").splitlines()]
        return ["pods", "2", "2"] in lines and ["requests.cpu", "400m", "1"] in lines

    until(shown, SECONDS, cluster.output)
    limits = cluster.kubectl("-n", space, "describe", "limits", "lr")
    assert ["Container", "cpu", "-", "1", "200m", "200m", "-"] in [
        line.split() for line in limits.splitlines()
    ]
    cluster.kubectl("-n", space, "patch", "quota", "q", "-p", '{"spec":{"hard":{"pods":"3"}}}')
    cluster.kubectl("-n", space, "rollout", "status", "deployment/web", "--timeout=60s")


def test_a_priority_class_gives_its_number(cluster: Cluster) -> None:
    space = cluster.namespace("priority")
    cluster.kubectl("create", "priorityclass", "high", "--value=1000", "--description=for tests")
    assert "high" in cluster.kubectl("get", "priorityclass")
    run(cluster, space, "p", priorityClassName="high")
    assert pods(cluster, space)[0]["spec"]["priority"] == 1000
    assert "no PriorityClass with name none was found" in run(cluster, space, "q", priorityClassName="none")


def test_a_program_in_a_pod_asks_the_api_with_its_token(cluster: Cluster) -> None:
    space = cluster.namespace("token")
    at = "/var/run/secrets/kubernetes.io/serviceaccount"
    script = f"cat {at}/namespace; echo; head -c 10 {at}/ca.crt; echo; cut -d. -f1 {at}/token; sleep 1000"
    run(cluster, space, "p", script)

    def told() -> bool:
        lines = cluster.kubectl("-n", space, "logs", "p", ok=False).splitlines()
        return lines[:2] == [space, "-----BEGIN"] and len(lines) == 3 and lines[2].startswith("ey")

    until(told, SECONDS, cluster.output)


def test_a_webhook_is_asked_about_what_controllers_create(cluster: Cluster, tmp_path: Path) -> None:
    space = cluster.namespace("hooked")
    server = WebhookServer(tmp_path, ["127.0.0.1"])
    server.answers["/"] = denying("not today")
    rule = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
    hook = {
        "name": "h.example.com",
        "clientConfig": {"url": server.url("/"), "caBundle": server.ca_bundle},
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space}},
    }
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "hooks"},
        "webhooks": [hook],
    }
    try:
        cluster.kubectl("create", "-f", "-", stdin=json.dumps(configuration))
        said = run(cluster, space, "p")
        assert 'admission webhook "h.example.com" denied the request: not today' in said
        cluster.kubectl("-n", space, "create", "deployment", "web", "--image=x:1", "--", "sleep", "1000")
        until(
            lambda: "denied the request: not today" in cluster.kubectl("-n", space, "describe", "rs"),
            SECONDS,
            cluster.output,
        )
        assert pods(cluster, space) == []
        assert server.asked["/"][-1]["userInfo"]["username"].endswith(":replicaset-controller")
    finally:
        cluster.kubectl("delete", "validatingwebhookconfiguration", "hooks", ok=False)
        server.stop()
