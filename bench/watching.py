"""How long after a write was sent its event arrives at a watch."""

from __future__ import annotations

import threading
import time

from bench.api import MERGE
from bench.cluster import NAMESPACE, Target, make_namespace
from bench.result import Result, percentile

PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
WRITES = 300


def measure(target: Target, runs: int) -> list[Result]:
    """Milliseconds, median and 99th percentile of 300 patches, one at a time."""
    client = target.client()
    make_namespace(client)
    p50, p99 = [], []
    for _ in range(runs):
        client.request("DELETE", f"{PATH}/watched")
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "watched"}, "data": {"n": "-1"}}
        made = client.json("POST", PATH, obj)
        times = _one_run(target, int(made["metadata"]["resourceVersion"]))
        p50.append(percentile(times, 0.5))
        p99.append(percentile(times, 0.99))
    client.request("DELETE", f"{PATH}/watched")
    return [Result("watch p50", "ms", tuple(p50)), Result("watch p99", "ms", tuple(p99))]


def _one_run(target: Target, revision: int) -> list[float]:
    arrived: dict[int, float] = {}
    news = threading.Condition()
    watching = threading.Event()

    def watch() -> None:
        path = f"{PATH}?fieldSelector=metadata.name%3Dwatched&resourceVersion={revision}"
        for event in target.client().watch(path, 120):
            at = time.perf_counter()
            n = int(event["object"]["data"]["n"])
            watching.set()
            with news:
                arrived[n] = at
                news.notify()
            if n >= WRITES - 1:
                return

    threading.Thread(target=watch, daemon=True).start()
    client = target.client()

    def write(n: int) -> float:
        sent = time.perf_counter()
        client.json("PATCH", f"{PATH}/watched", {"data": {"n": str(n)}}, MERGE)
        with news:
            if not news.wait_for(lambda: n in arrived, timeout=20):
                raise SystemExit(f"no event of write {n} within 20 s")
        return (arrived[n] - sent) * 1e3

    write(-2)  # until the watch is there
    return [write(n) for n in range(WRITES)]
