"""Pods that ask for more than a container: a private image, other resources while they run. Real kubectl, both runtimes."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.e2e.cluster import KUBECTLS, Cluster
from tests.e2e.waiting import until
from tests.images.registry import Registry

pytestmark = [pytest.mark.timeout(240)]


def test_a_private_image_is_pulled_with_the_accounts_secret_and_a_slow_one_holds_up_nobody(
    cluster: Cluster,
) -> None:
    if cluster.runtime != "docker":
        pytest.skip("to the process runtime an image is only a name")
    namespace, registry = cluster.namespace("private-images"), Registry()
    registry.push("team/web")
    registry.push("team/slow", size=300_000)
    registry.users, registry.tokens = {"me": "secret"}, True
    registry.held.clear()

    def pod(name: str, image: str, account: str) -> dict[str, Any]:
        spec = {
            "serviceAccountName": account,
            "containers": [{"name": "c", "image": f"{registry.host}/{image}"}],
        }
        meta = {"name": name, "namespace": namespace}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}

    def waits(name: str) -> str:
        [status] = cluster.get("pod", name, "-n", namespace)["status"].get("containerStatuses") or [{}]
        return str((status.get("state") or {}).get("waiting", {}).get("reason", ""))

    def reasons(name: str) -> set[str]:
        events = cluster.items("events", "-n", namespace, "--field-selector", f"involvedObject.name={name}")
        return {event["reason"] for event in events}

    try:
        cluster.kubectl(
            "create", "secret", "docker-registry", "reg", "-n", namespace, "--docker-username=me",
            f"--docker-server={registry.host}", "--docker-password=secret",
        )  # fmt: skip
        account = {"kind": "ServiceAccount", "apiVersion": "v1", "imagePullSecrets": [{"name": "reg"}]}
        cluster.apply({**account, "metadata": {"name": "puller", "namespace": namespace}})
        cluster.apply(pod("slow", "team/slow:1", "puller"))
        until(lambda: "Pulling" in reasons("slow"), 20, cluster.output)
        cluster.apply(pod("web", "team/web:1", "puller"))
        cluster.kubectl("wait", "pod/web", "-n", namespace, "--for=condition=Ready", "--timeout=60s")
        cluster.apply(pod("stranger", "team/web:1", "default"))
        until(lambda: waits("stranger") in ("ErrImagePull", "ImagePullBackOff"), 20, cluster.output)
        assert waits("slow") == "ContainerCreating"
        image = cluster.get("pod", "web", "-n", namespace)["status"]["containerStatuses"][0]["imageID"]
        assert image.startswith(f"docker-pullable://{registry.host}/team/web@sha256:")
        cluster.kubectl("delete", "pod", "slow", "-n", namespace, "--timeout=30s")
        registry.held.set()
        until(lambda: registry.under_way == 0, 20)
    finally:
        cluster.try_kubectl("delete", "pods", "--all", "-n", namespace, "--now")
        registry.remove_images()
        registry.close()


def test_a_running_pod_is_resized_by_either_kubectl(cluster: Cluster) -> None:
    space = cluster.namespace("resized")
    held = {"cpu": "100m", "memory": "32Mi"}
    container = {
        "name": "main", "image": "python:3.12-alpine", "command": ["sleep", "1000"],
        "resources": {"requests": held, "limits": held},
    }  # fmt: skip
    meta = {"name": "p", "namespace": space}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    cluster.kubectl("-n", space, "wait", "--for=condition=Ready", "pod/p", "--timeout=60s")
    began = cluster.get("-n", space, "pod/p")["status"]["containerStatuses"][0]

    def resize(program: str, wanted: dict[str, str]) -> str:
        patch = {
            "spec": {"containers": [{"name": "main", "resources": {"requests": wanted, "limits": wanted}}]}
        }
        words = ["-n", space, "patch", "pod/p", "--subresource", "resize", "-p", json.dumps(patch)]
        environ = {**os.environ, "KUBECONFIG": str(cluster.state / "kubeconfig")}
        done = subprocess.run([program, *words], env=environ, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def shown() -> dict[str, Any]:
        status = cluster.get("-n", space, "pod/p")["status"]["containerStatuses"][0]
        assert (status["containerID"], status["restartCount"]) == (began["containerID"], 0)
        return dict(status)

    for number, program in enumerate(KUBECTLS, start=1):
        wanted = {"cpu": f"{100 + 50 * number}m", "memory": f"{32 + 16 * number}Mi"}
        assert resize(program, wanted) == "pod/p patched\n"
        until(lambda w=wanted: shown()["resources"] == {"requests": w, "limits": w}, 20, cluster.output)
        if cluster.runtime == "docker":
            files = "/sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max"
            limit = cluster.kubectl(
                "-n", space, "exec", "p", "--", "sh", "-c", f"cat {files} 2>/dev/null || true"
            )
            assert int(limit.split()[0]) == (32 + 16 * number) << 20

    never = {"cpu": "1000", "memory": "32Mi"}
    assert resize(KUBECTLS[0], never) == "pod/p patched\n"
    cluster.kubectl("-n", space, "wait", "--for=condition=PodResizePending", "pod/p", "--timeout=20s")
    assert shown()["resources"]["requests"]["cpu"] != "1000"
    told = cluster.kubectl("-n", space, "get", "events", "--field-selector", "involvedObject.name=p")
    assert {"ResizeStarted", "ResizeCompleted", "ResizeInfeasible"} <= set(told.split())
