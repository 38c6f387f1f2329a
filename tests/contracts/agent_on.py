"""An agent on a real runtime, with an API in memory: what of a pod's life only real containers can show."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.base.clock import SystemClock
from app.base.ids import RandomIds
from app.base.settings import Settings
from app.objects.change import Object
from tests.agent.world import MemoryApi, NoNetwork
from tests.contracts.runtime_subjects import Subject, eventually, uid
from workers.agent.agent import Agent
from workers.agent.crew import REAL
from workers.agent.jobs import ThreadedJobs

IMAGE = "beanpole-test/busybox:1"


class LocalApi(MemoryApi):
    """Gives the node the addresses of its machine."""

    def __init__(self, cidr: str) -> None:
        super().__init__()
        self._cidr = cidr

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        return {**super()._answer(request), "podCIDR": self._cidr if self.node else "", "interval": 0.2}


class Tended:
    """A machine whose pods an agent sees to. `close` ends the agent and removes the pods."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        clock = SystemClock()
        self.clock, self.api = clock, LocalApi(subject.cidr)
        self._jobs = ThreadedJobs(clock, REAL)
        settings = Settings(node="n1", state_dir=folder, server="https://10.0.0.1:6443", exchange=0.2)
        self._runtime = subject.runtime()
        self._agent = Agent(
            self.api, self._runtime, NoNetwork(), clock, RandomIds(1), settings, jobs=self._jobs
        )
        self._agent.start()

    def put(self, pod: Object) -> None:
        self.api.put(pod)
        self._agent.nudge()

    def change(self, pod: Object, **spec: Any) -> None:
        """Change some of the pod's spec."""
        fresh = copy.deepcopy(self.api.pods[pod["metadata"]["uid"]])
        fresh["spec"].update(spec)
        self.put(fresh)

    def delete(self, pod: Object, grace: int) -> None:
        self.api.delete(pod["metadata"]["uid"], grace, self.clock.now())
        self._agent.nudge()

    def status(self, pod: Object) -> Object:
        found = self.api.pods.get(pod["metadata"]["uid"])
        return (found or {}).get("status") or {}

    def container(self, pod: Object, name: str) -> Object:
        """The status of one container; empty if there is none yet."""
        status = self.status(pod)
        for section in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
            for entry in status.get(section) or ():
                if entry["name"] == name:
                    return entry  # type: ignore[no-any-return]
        return {}

    def until(self, condition: Callable[[], object], what: str) -> None:
        eventually(condition, what)

    def gone(self, pod: Object) -> bool:
        return pod["metadata"]["uid"] not in self.api.pods

    def close(self) -> None:
        self._agent.stop()
        self._jobs.close()
        for pod in self._runtime.pods():
            self._runtime.remove_pod(pod.pod)


def pod(name: str, containers: list[Object], **spec: Any) -> Object:
    """A pod whose containers run shell scripts: each is `{name, script, ...}`."""

    def made(container: Object) -> Object:
        rest = {k: v for k, v in container.items() if k != "script"}
        return {"image": IMAGE, "command": ["/bin/sh", "-c", container["script"]], **rest}

    inits = [made(each) for each in spec.pop("inits", ())]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": uid(name), "generation": 1},
        "spec": {
            "nodeName": "n1",
            "containers": [made(c) for c in containers],
            "initContainers": inits,
            **spec,
        },
        "status": {"phase": "Pending"},
    }
