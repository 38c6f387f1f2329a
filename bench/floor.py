"""What the engine itself takes: the bare Docker SDK makes as many pairs of containers, a sandbox and one
that joins its network, with 8 threads and nothing around it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from bench.workload import IMAGE

THREADS = 8
LABEL = "beanpole-bench-floor"


def seconds(count: int) -> float:
    """Seconds from the first call until all containers run. They are removed afterwards."""
    import docker

    engine = docker.from_env(max_pool_size=THREADS)

    def pair(number: int) -> None:
        common = {"labels": {LABEL: ""}, "detach": True}
        pause = engine.containers.run(
            IMAGE, ["/bin/sleep", "600"], name=f"{LABEL}-{number}-pause", network_mode="bridge", **common
        )
        engine.containers.run(
            IMAGE,
            ["/bin/sleep", "600"],
            name=f"{LABEL}-{number}",
            network_mode=f"container:{pause.id}",
            **common,
        )

    try:
        began = time.perf_counter()
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(pair, range(count)))
        return time.perf_counter() - began
    finally:
        for container in engine.containers.list(all=True, filters={"label": LABEL}):
            container.remove(force=True)
        engine.close()


def restart_seconds() -> float:
    """Seconds from SIGKILL to a running container until the same one runs again."""
    import docker

    engine = docker.from_env()
    container = engine.containers.run(
        IMAGE, ["/bin/sleep", "600"], name=f"{LABEL}-restart", labels={LABEL: ""}, detach=True
    )
    try:
        began = time.perf_counter()
        container.kill()
        container.wait()
        container.start()
        return time.perf_counter() - began
    finally:
        container.remove(force=True)
        engine.close()
