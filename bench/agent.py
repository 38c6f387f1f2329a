"""What a node's agent takes while fifty pods with probes run on it and nothing happens."""

from __future__ import annotations

import time

from bench.cluster import Target, make_namespace
from bench.deployment import create, deployment, remove, scale_and_wait
from bench.result import Result
from bench.workload import container, make_image

NAME = "settled"
PODS = 50
SECONDS = 30.0
SETTLE_SECONDS = 15.0


def measure(target: Target, runs: int) -> list[Result]:
    """Per cent of one core, and MB (PSS, RSS beside it), of the agent's process over 30 seconds. Each pod has a
    readiness probe every 10 seconds, Kubernetes's default."""
    import psutil

    if not target.root:
        raise SystemExit("agent: tell which process everything descends from, with --root PID")
    if target.runtime == "docker":
        make_image()
    client = target.client()
    make_namespace(client)
    what = container(target.runtime)
    what["readinessProbe"] = {**what["readinessProbe"], "periodSeconds": 10}
    create(client, deployment(NAME, what, terminationGracePeriodSeconds=1))
    scale_and_wait(client, NAME, PODS, 300)
    time.sleep(SETTLE_SECONDS)
    agent = agent_of(psutil.Process(target.root))
    busy, pss, rss = [], [], []
    for _ in range(runs):
        before, began = agent.cpu_times(), time.perf_counter()
        time.sleep(SECONDS)
        now = agent.cpu_times()
        spent = now.user + now.system - before.user - before.system
        busy.append(100 * spent / (time.perf_counter() - began))
        memory = agent.memory_full_info()
        pss.append(memory.pss / 1e6)
        rss.append(memory.rss / 1e6)
    remove(client, NAME)
    note = f"{PODS} pods, a probe every 10 s, {target.runtime}"
    return [
        Result("agent cpu", "% of a core", tuple(busy), note=note),
        Result("agent memory", "MB", tuple(pss), note="PSS"),
        Result("agent memory, RSS", "MB", tuple(rss)),
    ]


def agent_of(root):  # type: ignore[no-untyped-def]
    """The agent among the processes of a cluster."""
    for process in root.children(recursive=True):
        if "workers.agent.main" in " ".join(process.cmdline()):
            return process
    raise SystemExit("agent: no process of this cluster is a node's agent")
