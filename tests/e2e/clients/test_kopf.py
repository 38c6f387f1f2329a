"""kopf runs an operator on a custom resource."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import BIN, Cluster
from tests.e2e.waiting import until

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("clients")]

DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "greetings.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "greetings", "singular": "greeting", "kind": "Greeting"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"words": {"type": "string"}}},
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


@pytest.fixture
def operator(cluster: Cluster, kubeconfig: str, tmp_path: Path) -> Iterator[str]:
    """The operator running; the namespace that it looks after."""
    namespace = cluster.namespace("kopf")
    cluster.apply(DEFINITION)
    cluster.kubectl("wait", "--for=condition=established", "crd/greetings.example.com", "--timeout=30s")
    log = (tmp_path / "operator.log").open("wb")
    running = subprocess.Popen(
        [str(BIN / "kopf"), "run", "-n", namespace, str(Path(__file__).with_name("greetings.py"))],
        env={**os.environ, "KUBECONFIG": kubeconfig}, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield namespace
        assert running.poll() is None, (tmp_path / "operator.log").read_text()
    finally:
        running.terminate()
        running.wait(30)


def test_an_operator_sees_objects_come_change_and_go(cluster: Cluster, operator: str) -> None:
    def words(name: str) -> Any:
        found = cluster.try_kubectl(
            "-n", operator, "get", "configmap", f"{name}-words", "-o", "jsonpath={.data.words}"
        )
        return found.stdout

    greeting = {
        "apiVersion": "example.com/v1",
        "kind": "Greeting",
        "metadata": {"name": "morning", "namespace": operator},
        "spec": {"words": "good morning"},
    }
    cluster.apply(greeting)
    until(lambda: words("morning") == "good morning", 60)
    until(
        lambda: (
            cluster.get("greeting/morning", "-n", operator).get("status", {}).get("said") == "good morning"
        ),
        60,
    )
    assert "example.com/greeting" in cluster.get("greeting/morning", "-n", operator)["metadata"]["finalizers"]
    cluster.apply({**greeting, "spec": {"words": "hello"}})
    until(lambda: words("morning") == "hello", 60)
    cluster.kubectl("-n", operator, "delete", "greeting/morning", "--timeout=60s")
    cluster.kubectl("-n", operator, "get", "configmap", "morning-farewell")
    # Owned by the greeting, and so gone with it.
    until(lambda: words("morning") == "", 60)
