"""The agent is killed at every single call by which it changes something on its engine, while it is under way and once
it was done; the next agent ends where an undisturbed one does."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.e2e.waiting import until
from tests.faults import traces
from tests.faults.agent_process import AgentProcess
from tests.faults.conftest import free_range
from tests.faults.node import SharedApi, pod
from tests.faults.own_engine import OwnEngine
from tests.faults.proxy import Proxy, Then
from workers.runtime.docker.labels import Owner

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(180)]


class Killed:
    """One node whose agents are killed.

    Args:
        api: what the agents speak with; it outlives them, as the engine does.
    """

    def __init__(self, engine: OwnEngine, cluster: str, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.owner = Owner(cluster, "n1")
        self.api = SharedApi(free_range())
        self.client = engine.client()
        self.changes: list[str] = []
        self.agent: AgentProcess | None = None
        self.proxy: Proxy | None = None
        self._fatal = 0
        self._during = True
        self._died = threading.Event()
        self._dead = False
        self._lines = 0

    def begin(self, fatal: int = 0, *, during: bool = True) -> None:
        """Start an agent, which dies at its change number `fatal` if that is not 0."""
        self._fatal, self._during, self._dead = fatal, during, False
        self.changes.clear()
        self._died.clear()
        self._start()

    def _start(self) -> None:
        self._lines += 1
        line = self.folder / f"l{self._lines}"
        self.proxy = Proxy(line, Path(self.engine.url.removeprefix("unix://")), self._called)
        self.agent = AgentProcess(self.api, self.proxy.url, self.owner.cluster, self.folder / "state")

    def end(self) -> None:
        if self.agent is not None and self.proxy is not None:
            self.agent.kill()
            self.proxy.close()
            self.agent = None

    @property
    def is_fatal(self) -> bool:
        """Whether the last agent that was to be killed was."""
        return self._died.is_set()

    def until_running(self, uid: str) -> None:
        """Wait until the pod is Ready, with another agent in place of one that was killed."""
        self._until(lambda: self.is_running(uid))

    def until_gone(self, uid: str) -> None:
        self._until(lambda: uid not in self.api.pods)

    def _until(self, condition: Callable[[], bool]) -> None:
        until(lambda: condition() or self._dead, 30, self.tell, every=0.01)
        if self._dead:
            self._dead = False
            self.end()
            self._start()
            until(condition, 30, self.tell, every=0.01)

    def forget_network(self) -> None:
        """Let the next agent make it anew. A sandbox that is gone may hold on to it for another moment."""
        until(self._has_removed_network, 10, self.tell, every=0.02)

    def _has_removed_network(self) -> bool:
        try:
            self.client.remove_network(self.owner.network)
        except docker.errors.APIError as exc:
            return exc.status_code == 404
        return True

    def _called(self, method: str, path: str) -> Then | None:
        if method in ("GET", "HEAD"):
            return None
        self.changes.append(f"{method} {path.partition('?')[0]}")
        if len(self.changes) != self._fatal:
            return None
        return Then(sent=self._kill) if self._during else Then(answered=self._kill)

    def _kill(self) -> None:
        assert self.agent is not None
        assert self.agent.pid is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.agent.pid, signal.SIGKILL)
        self._died.set()
        self._dead = True

    def is_running(self, uid: str) -> bool:
        status = (self.api.pods.get(uid) or {}).get("status") or {}
        entries = status.get("containerStatuses") or [{}]
        return status.get("phase") == "Running" and bool(entries[0].get("ready"))

    def containers(self) -> list[str]:
        """Names of the node's containers that run."""
        return [c["Names"][0] for c in self.client.containers(filters=self.owner.filter())]

    def tell(self) -> str:
        return f"{self.changes}\n{self.api.pods}\n{self.api.events}\n{self.client.containers(all=True)}"


@pytest.fixture
def killed(faulty: OwnEngine, request: pytest.FixtureRequest) -> Iterator[Killed]:
    folder = Path(tempfile.mkdtemp(prefix="bpk-"))
    made = Killed(faulty, f"killed{folder.name[-6:].replace('_', '-').lower()}", folder)
    before = traces.taken(made.client, faulty.folder, faulty.cgroup, folder / "state")
    try:
        yield made
        made.end()
        made.forget_network()
        assert traces.taken(made.client, faulty.folder, faulty.cgroup, folder / "state").beyond(before) == {}
    finally:
        made.end()
        for each in made.client.containers(all=True, filters=made.owner.filter()):
            made.client.remove_container(each["Id"], v=True, force=True)
        made.client.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize("during", [True, False], ids=["during", "after"])
def test_a_pod_whose_agent_is_killed_anywhere_lives_and_ends_as_any_other(
    killed: Killed, during: bool
) -> None:
    fatal, everything = 0, []
    while killed.is_fatal or not fatal:
        fatal += 1
        killed.forget_network()
        killed.begin(fatal, during=during)
        uid = killed.api.put(pod())
        killed.until_running(uid)
        names = sorted(killed.containers())
        assert len(names) == 2, names
        assert names[0].endswith(uid)
        assert killed.api.pods[uid]["status"]["containerStatuses"][0]["restartCount"] == 0
        killed.api.delete(uid, 1, 0.0)
        killed.until_gone(uid)
        assert killed.client.containers(all=True, filters=killed.owner.filter()) == []
        everything = list(killed.changes)
        killed.end()
    said = " ".join(everything)
    assert [
        word for word in ("networks/create", "containers/create", "start", "DELETE") if word not in said
    ] == []
    assert fatal > len(everything) > 7
