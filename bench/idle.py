"""Memory and processor time of everything that makes up a cluster, while nothing happens."""

from __future__ import annotations

import time

from bench.cluster import Target
from bench.result import Result

SECONDS = 30.0
SETTLE_SECONDS = 10.0


def measure(target: Target, runs: int) -> list[Result]:
    """MB (PSS: shared pages counted once; RSS beside it), and per cent of one core over 30 seconds, of the
    process `target.root` and all its descendants."""
    import psutil

    if not target.root:
        raise SystemExit("idle: tell which process everything descends from, with --root PID")
    time.sleep(SETTLE_SECONDS)
    root = psutil.Process(target.root)
    pss, rss, busy = [], [], []
    count = 0
    for _ in range(runs):
        everything = [root, *root.children(recursive=True)]
        before, began = _cpu(everything), time.perf_counter()
        time.sleep(SECONDS)
        everything = [p for p in everything if p.is_running()]
        busy.append(100 * (_cpu(everything) - before) / (time.perf_counter() - began))
        memory = [p.memory_full_info() for p in everything]
        pss.append(sum(m.pss for m in memory) / 1e6)
        rss.append(sum(m.rss for m in memory) / 1e6)
        count = len(everything)
    return [
        Result("idle memory", "MB", tuple(pss), note=f"PSS of {count} processes"),
        Result("idle memory, RSS", "MB", tuple(rss)),
        Result("idle cpu", "% of a core", tuple(busy)),
    ]


def _cpu(processes: list) -> float:
    """Seconds of processor time, children that have ended included."""
    total = 0.0
    for process in processes:
        spent = process.cpu_times()
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total
