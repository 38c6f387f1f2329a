"""How exactly probes come: 200 containers on one node, each probed every second; then with half of them hanging."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import Any

from bench.agent import agent_of
from bench.api import ApiFailure, Client
from bench.cluster import NAMESPACE, Target, make_namespace, wait_until
from bench.deployment import PODS
from bench.result import Result, percentile
from bench.workload import IMAGE, make_image

PODS_COUNT, CONTAINERS = 20, 10
SECONDS = 20.0
NEVER = 2**31 - 1


def measure(target: Target, runs: int) -> list[Result]:
    """Milliseconds that tries come later than their container's own rhythm; of those that answer. The probes go to one
    server on this machine, which must be one of the nodes; the containers themselves only wait. Beside it, how late in the
    same time a process was that did nothing but sleep: no probe can be more exact than the machine is."""
    if target.runtime == "docker":
        make_image()
    client = target.client()
    make_namespace(client)
    results: list[Result] = []
    for hanging, what in ((0.0, "probes late"), (0.5, "probes late, half hang")):
        late, worst, missed, busy, bare, bare_worst = [], [], [], [], [], []
        for _ in range(runs):
            seen, cpu, slept = _run(client, target, hanging)
            bare.append(1000 * percentile(slept, 0.99))
            bare_worst.append(1000 * max(slept))
            offsets, lost = lateness(seen)
            late.append(1000 * percentile(offsets, 0.99))
            worst.append(1000 * max(offsets))
            missed.append(float(lost))
            busy.append(cpu)
        count = PODS_COUNT * CONTAINERS
        note = f"{count} containers, each every 1 s, {target.runtime}"
        results.append(Result(f"{what} p99", "ms", tuple(late), note=note))
        results.append(Result(f"{what} max", "ms", tuple(worst), note=f"{sum(missed):.0f} were left out"))
        results.append(Result(f"{what}: bare sleep p99", "ms", tuple(bare)))
        results.append(Result(f"{what}: bare sleep max", "ms", tuple(bare_worst)))
        if target.root:
            results.append(Result(f"{what}: agent", "% of a core", tuple(busy)))
    return results


def lateness(seen: dict[str, list[float]]) -> tuple[list[float], int]:
    """Seconds of every try after the earliest that its path's rhythm allows, and how many never came."""
    offsets: list[float] = []
    lost = 0
    for path, times in seen.items():
        if path.startswith("/hang/") or len(times) < 2:
            continue
        steps = [(at - times[0] + 0.5) % 1.0 - 0.5 for at in times]
        offsets += [step - min(steps) for step in steps]
        lost += round(times[-1] - times[0]) + 1 - len(times)
    return offsets, lost


def _run(client: Client, target: Target, hanging: float) -> tuple[dict[str, list[float]], float, list[float]]:
    """When each path was tried, the agent's share of a core, and how late sleeping was."""
    server = subprocess.Popen([sys.executable, "-m", "bench.endpoint"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        port = int(server.stdout.readline())
        for number in range(PODS_COUNT):
            client.json("POST", PODS, _pod(number, port, hanging))
        wait_until(lambda: _running(client) == PODS_COUNT, 300, "pods to run", every=0.5)
        time.sleep(3.0)
        agent = _agent(target)
        before, began = _cpu(agent), time.monotonic()
        slept = _sleep(SECONDS)
        cpu = 100 * (_cpu(agent) - before) / (time.monotonic() - began)
        server.send_signal(signal.SIGTERM)
        seen: dict[str, list[float]] = json.loads(server.stdout.read())
    finally:
        server.kill()
        server.wait()
        _remove(client)
    return {path: [at for at in times if at >= began] for path, times in seen.items()}, cpu, slept


def _sleep(seconds: float) -> list[float]:
    """Wake as often as there are probes, and see how late that is each time."""
    gap = 1.0 / (PODS_COUNT * CONTAINERS)
    due = time.monotonic()
    until, late = due + seconds, []
    while due < until:
        due += gap
        time.sleep(max(0.0, due - time.monotonic()))
        late.append(time.monotonic() - due)
    return late


def _pod(number: int, port: int, hanging: float) -> dict[str, Any]:
    def container(index: int) -> dict[str, Any]:
        which = number * CONTAINERS + index
        kind = "hang" if index < CONTAINERS * hanging else "well"
        probe = {"httpGet": {"host": "127.0.0.1", "port": port, "path": f"/{kind}/{which}"}}
        return {
            "name": f"c{index}",
            "image": IMAGE,
            "command": ["/bin/sleep", "100000"],
            "livenessProbe": {**probe, "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": NEVER},
        }

    spec = {
        "containers": [container(index) for index in range(CONTAINERS)],
        "terminationGracePeriodSeconds": 0,
    }
    meta = {"name": f"probed-{number}", "namespace": NAMESPACE, "labels": {"app": "probed"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _running(client: Client) -> int:
    found = client.json("GET", f"{PODS}?labelSelector=app%3Dprobed")["items"]
    return sum((pod.get("status") or {}).get("phase") == "Running" for pod in found)


def _remove(client: Client) -> None:
    try:
        client.request("DELETE", f"{PODS}?labelSelector=app%3Dprobed")
        listed = f"{PODS}?labelSelector=app%3Dprobed"
        wait_until(lambda: not client.json("GET", listed)["items"], 120, "pods to be gone", every=0.5)
    except (OSError, ApiFailure, TimeoutError) as exc:
        print(f"cleaning up: {exc}", file=sys.stderr)


def _agent(target: Target) -> Any:
    import psutil

    return agent_of(psutil.Process(target.root)) if target.root else None


def _cpu(process: Any) -> float:
    if process is None:
        return 0.0
    spent = process.cpu_times()
    return float(spent.user + spent.system)
