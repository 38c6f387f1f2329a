"""N pods on M simulated nodes: how fast they are all Ready, and how fast they are then listed."""

from __future__ import annotations

import time

from bench.cluster import Target, make_namespace
from bench.deployment import (
    PODS,
    create,
    deployment,
    is_ready,
    pods,
    remove,
    scale_and_wait,
    scale_to_nothing,
)
from bench.result import Result

NAME = "scale"


def measure(target: Target, count: int, runs: int) -> list[Result]:
    """Pods a second from the request that scales a Deployment from 0 to `count`, and milliseconds of
    reading the list of them, best of 5, without parsing it."""
    client = target.client()
    make_namespace(client)
    create(client, deployment(NAME, {"image": "registry.k8s.io/pause:3.9"}))
    rates: list[float] = []
    lists: list[float] = []
    size = 0
    for run in range(runs):
        if run:
            scale_to_nothing(client, NAME)
        rates.append(count / scale_and_wait(client, NAME, count))
        times = []
        for _ in range(5):
            began = time.perf_counter()
            status, body = client.request("GET", f"{PODS}?limit=0")
            times.append((time.perf_counter() - began) * 1e3)
            if status != 200:
                raise SystemExit(f"listing pods: {status} {body[:300]!r}")
            size = len(body)
        lists.append(min(times))
    listed = pods(client, NAME)
    ready = sum(map(is_ready, listed))
    used = len({pod["spec"].get("nodeName") for pod in listed})
    remove(client, NAME)
    return [
        Result("scale-out", "pods/s", tuple(rates), True, f"{ready} of {count} Ready on {used} nodes"),
        Result("list pods", "ms", tuple(lists), note=f"{count} pods, {size / 1e6:.1f} MB"),
    ]
