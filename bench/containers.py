"""Real containers: from nothing to Ready, and back to Ready after one was killed or a pod deleted."""

from __future__ import annotations

import json
import time
from typing import Any

from bench import floor
from bench.api import Client
from bench.cluster import Target, make_namespace, wait_until
from bench.deployment import (
    PODS,
    create,
    deployment,
    is_ready,
    pods,
    remove,
    scale,
    scale_and_wait,
    scale_to_nothing,
)
from bench.result import Result
from bench.workload import container, make_image

NAME = "real"
COUNT = 20
REPLICAS = 3


def measure(target: Target, runs: int) -> list[Result]:
    """Seconds of each, and of the bare SDK in between, so that both see the same machine."""
    docker = target.runtime == "docker"
    if docker:
        make_image()
    client = target.client()
    make_namespace(client)
    create(client, deployment(NAME, container(target.runtime), terminationGracePeriodSeconds=10))
    out, floors, restarts, killed, deleted = [], [], [], [], []
    for _ in range(runs):
        if docker:
            floors.append(floor.seconds(COUNT))
            restarts.append(floor.restart_seconds())
        out.append(scale_and_wait(client, NAME, COUNT, 180))
        scale(client, NAME, REPLICAS)
        wait_until(lambda: len(pods(client, NAME)) == REPLICAS, 120, f"{REPLICAS} pods", every=0.1)
        if docker:
            killed.append(_killed(client))
        deleted.append(_deleted(client))
        scale_to_nothing(client, NAME)
    remove(client, NAME)
    note = f"{COUNT} pods, probe every 1 s, {target.runtime}"
    results = [Result("containers 0 -> all Ready", "s", tuple(out), note=note)]
    if docker:
        results.append(Result("bare SDK floor", "s", tuple(floors), note="8 threads, pause + container"))
        ratios = tuple(whole / bare for whole, bare in zip(out, floors, strict=True))
        results.append(
            Result("containers / floor", "times", ratios, note="each with the floor of its own run")
        )
        results.append(Result("engine's own restart", "s", tuple(restarts), note="kill and start, bare SDK"))
        results.append(Result("container killed -> Ready", "s", tuple(killed)))
    results.append(Result("pod deleted -> replacement Ready", "s", tuple(deleted)))
    return results


def _killed(client: Client) -> float:
    """SIGKILL to a container behind everybody's back, until its pod is Ready again with one more restart."""
    import docker

    _settle(client)
    pod = pods(client, NAME)[0]
    before = pod["status"]["containerStatuses"][0]
    engine = docker.from_env()
    try:
        victim = engine.containers.get(before["containerID"].partition("://")[2])
        began = time.perf_counter()
        victim.kill()
    finally:
        engine.close()
    path = f"{PODS}?fieldSelector=metadata.name%3D{pod['metadata']['name']}"
    for event in client.watch(f"{path}&resourceVersion={pod['metadata']['resourceVersion']}", 60):
        seen = event["object"]
        restarts = [c["restartCount"] for c in seen["status"].get("containerStatuses") or ()]
        if restarts and restarts[0] > before["restartCount"] and is_ready(seen):
            return time.perf_counter() - began
    raise TimeoutError("a killed container's pod was not Ready again within 60 s")


def _deleted(client: Client) -> float:
    """A DELETE of one pod, until a pod that was not there before is Ready."""
    _settle(client)
    listed: dict[str, Any] = client.json("GET", f"{PODS}?labelSelector=app%3D{NAME}")
    known = {pod["metadata"]["uid"] for pod in listed["items"]}
    began = time.perf_counter()
    status, body = client.request("DELETE", f"{PODS}/{listed['items'][0]['metadata']['name']}")
    if status >= 300:
        raise SystemExit(f"deleting a pod: {status} {json.loads(body).get('message')}")
    path = f"{PODS}?labelSelector=app%3D{NAME}&resourceVersion={listed['metadata']['resourceVersion']}"
    for event in client.watch(path, 60):
        seen = event["object"]
        if seen["metadata"]["uid"] not in known and is_ready(seen):
            return time.perf_counter() - began
    raise TimeoutError("a deleted pod's replacement was not Ready within 60 s")


def _settle(client: Client) -> None:
    wait_until(
        lambda: len(found := pods(client, NAME)) == REPLICAS and all(is_ready(p) for p in found),
        60,
        f"{REPLICAS} Ready pods",
        every=0.1,
    )
