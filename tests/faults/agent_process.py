"""An agent in a process of its own, to be killed; its API stays in the test's."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.agent.world import MemoryApi, NoNetwork
from tests.faults.node import SharedApi

# One process that has imported what agents need, of which each is a copy: a start takes no time.
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["tests.faults.agent_process"])


class AgentProcess:
    """Runs from the beginning.

    Args:
        engine: where its engine listens, as DOCKER_HOST has it. folder: its state folder.
    """

    def __init__(self, api: SharedApi, engine: str, cluster: str, folder: Path) -> None:
        self._api = api
        self._line, theirs = _server.Pipe()
        self._process = _server.Process(
            target=_main, args=(theirs, engine, cluster, str(folder)), daemon=True, name="agent"
        )
        self._process.start()
        theirs.close()
        self.pid = self._process.pid
        threading.Thread(target=self._serve, name="api-of-agent", daemon=True).start()

    def kill(self) -> None:
        """SIGKILL. Returns when it is dead."""
        self._process.kill()
        self._process.join(10)

    def _serve(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._line.send(self._api.exchange(self._line.recv()))


class _FarApi(MemoryApi):
    """The test's API, over a pipe."""

    def __init__(self, line: Connection) -> None:
        super().__init__()
        self._line = line
        self._lock = threading.Lock()

    def exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._line.send(request)
            answer: dict[str, Any] = self._line.recv()
            return answer


def _main(line: Connection, engine: str, cluster: str, folder: str) -> None:
    from app.base.clock import SystemClock
    from app.base.ids import RandomIds
    from app.base.settings import Settings
    from workers.agent.agent import Agent
    from workers.agent.crew import REAL
    from workers.agent.jobs import ThreadedJobs
    from workers.runtime.docker import DockerRuntime

    os.environ["DOCKER_HOST"] = engine
    clock, state = SystemClock(), Path(folder)
    settings = Settings(cluster=cluster, node="n1", state_dir=state, server="https://127.0.0.1:1", usage=0.0)
    runtime = DockerRuntime(cluster, "n1", state / "docker" / "n1", clock, cluster_cidr="")
    agent = Agent(
        _FarApi(line),
        runtime,
        NoNetwork(),
        clock,
        RandomIds(1),
        settings,
        jobs=ThreadedJobs(clock, REAL),  # type: ignore[arg-type]
    )
    agent.start()
    threading.Event().wait()
