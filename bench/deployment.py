"""The Deployments that measurements make, and waiting for them."""

from __future__ import annotations

import time
from typing import Any

from bench.api import MERGE, ApiFailure, Client
from bench.cluster import NAMESPACE, wait_until

DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def deployment(name: str, container: dict[str, Any], replicas: int = 0, **pod: Any) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [{"name": "main", "imagePullPolicy": "IfNotPresent", **container}],
                    "tolerations": [{"operator": "Exists"}],
                    **pod,
                },
            },
        },
    }


def create(client: Client, obj: dict[str, Any]) -> None:
    client.json("POST", DEPLOYMENTS, obj)


def scale(client: Client, name: str, replicas: int) -> None:
    client.json("PATCH", f"{DEPLOYMENTS}/{name}", {"spec": {"replicas": replicas}}, MERGE)


def scale_and_wait(client: Client, name: str, replicas: int, seconds: int = 600) -> float:
    """Scale out, and the seconds from the request until the Deployment says all are Ready, seen by a watch."""
    began = time.perf_counter()
    made = client.json("PATCH", f"{DEPLOYMENTS}/{name}", {"spec": {"replicas": replicas}}, MERGE)
    if (made.get("status") or {}).get("readyReplicas", 0) == replicas:
        return time.perf_counter() - began  # nothing to do, so no event would come
    revision = made["metadata"]["resourceVersion"]
    path = f"{DEPLOYMENTS}?fieldSelector=metadata.name%3D{name}&resourceVersion={revision}"
    for event in client.watch(path, seconds):
        status = event["object"].get("status") or {}
        if event["type"] == "ERROR":
            raise ApiFailure(f"watch: {event['object']}")
        if status.get("readyReplicas", 0) >= replicas:
            return time.perf_counter() - began
    raise TimeoutError(f"{replicas} pods were not Ready within {seconds} s")


def pods(client: Client, name: str) -> list[dict[str, Any]]:
    return list(client.json("GET", f"{PODS}?labelSelector=app%3D{name}")["items"])


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return not pod["metadata"].get("deletionTimestamp") and any(
        c["type"] == "Ready" and c["status"] == "True" for c in conditions
    )


def scale_to_nothing(client: Client, name: str) -> None:
    scale(client, name, 0)
    path = f"{PODS}?labelSelector=app%3D{name}&limit=1"
    wait_until(lambda: not client.json("GET", path)["items"], 300, "the pods to be gone", every=0.2)


def remove(client: Client, name: str) -> None:
    scale_to_nothing(client, name)
    client.json("DELETE", f"{DEPLOYMENTS}/{name}")


def rolled_out(client: Client, name: str) -> bool:
    """Whether the newest template runs everywhere, as `kubectl rollout status` decides it."""
    obj = client.json("GET", f"{DEPLOYMENTS}/{name}")
    want, status = obj["spec"]["replicas"], obj.get("status") or {}
    return (
        status.get("observedGeneration", 0) >= obj["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == want
        and status.get("replicas", 0) == want
        and status.get("availableReplicas", 0) == want
    )
