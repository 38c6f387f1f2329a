"""One node on an engine that may fail: a real agent with its threads, and an API in memory."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from app.base.clock import SystemClock
from app.base.ids import RandomIds
from app.base.settings import Settings
from app.objects.change import Object
from tests.agent.world import MemoryApi, NoNetwork, condition
from tests.e2e.waiting import until
from tests.images.local import BUSYBOX
from workers.agent.agent import Agent
from workers.agent.crew import REAL
from workers.agent.jobs import ThreadedJobs
from workers.agent.probing import Done, MachineProber, Outcome, Try
from workers.runtime.docker import DockerRuntime
from workers.runtime.docker.labels import Owner
from workers.runtime.protocol import LogOptions, PodRef, Runtime

SLEEPS = "trap 'exit 143' TERM; sleep 1000 & wait"


class SharedApi(MemoryApi):
    """An API in memory that threads and processes may use at once.

    Args:
        cidr: the range of the node's pods.
    """

    def __init__(self, cidr: str) -> None:
        super().__init__()
        self._cidr = cidr
        self._lock = threading.RLock()
        self.heard = 0

    def put(self, pod: Object) -> str:
        with self._lock:
            return super().put(pod)

    def vanish(self, uid: str) -> None:
        with self._lock:
            super().vanish(uid)

    def exchange(self, said: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.heard += 1
            answer = super().exchange(said)
            # Told as often as the tests are impatient.
            answer["interval"] = 0.2
            for own in answer["nodes"].values():
                own["podCIDR"] = own["podCIDR"] and self._cidr
            del self.requests[:]
            return json.loads(json.dumps(answer))

    def ready(self) -> Object:
        """The node's condition Ready, as last told."""
        return condition((self.node or {}).get("status") or {}, "Ready")

    def told(self, reason: str, uid: str | None = None) -> list[str]:
        """The messages of Events of that reason, on a pod if named."""
        return [m for about, said, m in list(self.events) if said == reason and uid in (None, about)]


class ShiftedClock(SystemClock):
    """The machine's clock, which somebody may set (`by` seconds ahead) and of which time may be skipped (`skipped`)."""

    by = skipped = 0.0

    def now(self) -> float:
        return super().now() + self.by + self.skipped

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped


class CountingProber(MachineProber):
    """Tries probes, and counts by their kind how many succeeded."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self.succeeded: Counter[str] = Counter()

    def probe(self, attempt: Try, done: Done) -> None:
        def counted(outcome: Outcome) -> None:
            if outcome.ok:
                self.succeeded.update(attempt.handler.keys())
            done(outcome)

        super().probe(attempt, counted)


class FaultyNode:
    """An agent in this process.

    Args:
        folder: its state folder. cidr: of its pods, which no other network of the machine has.
        more: further settings.
    """

    def __init__(self, folder: Path, cluster: str, cidr: str, **more: Any) -> None:
        self.folder, self.owner = folder, Owner(cluster, "n1")
        self._more = more
        self.api = SharedApi(cidr)
        self.clock = ShiftedClock()
        self.begin()

    def begin(self) -> None:
        """Start an agent, or another one in place of the one that was."""
        # How full the machine's own disk is must make no difference.
        settings = Settings(
            cluster=self.owner.cluster,
            node="n1",
            state_dir=self.folder,
            server="https://127.0.0.1:1",
            usage=0.0,
            eviction_hard="",
            image_gc_high=100,
            **self._more,
        )
        self.runtime = DockerRuntime(
            self.owner.cluster, "n1", self.folder / "docker" / "n1", self.clock, cluster_cidr=""
        )
        self.jobs = ThreadedJobs(self.clock, REAL)
        self.prober = CountingProber(self.runtime)
        self.agent = Agent(
            self.api,
            self.runtime,
            NoNetwork(),
            self.clock,
            RandomIds(1),
            settings,
            jobs=self.jobs,
            prober=self.prober,
        )
        self.agent.start()

    def end(self) -> None:
        """End the agent; what it runs stays."""
        self.jobs.close(wait=False)
        self.agent.stop()

    def pass_time(self, uid: str, seconds: float) -> None:
        """Look at a pod as if so much later."""
        self.clock.skipped += seconds
        self.agent.pods.wake(uid)

    def threads(self) -> int:
        """How many threads agents have."""
        return sum(thread.name.startswith("agent-") for thread in threading.enumerate())

    def at_work(self) -> bool:
        """Whether something that agents began is under way. Threads that wait for an exec probe outlive them."""
        names = {thread.name for thread in threading.enumerate()} - {"agent-exec-probe"}
        return any(name.startswith("agent-") for name in names)

    # --- what a user does

    def run(self, pod: Object) -> str:
        uid = self.api.put(pod)
        self.agent.nudge()
        return uid

    def started(self, pod: Object, seconds: float = 30) -> str:
        """Run it, and wait until it is Ready."""
        uid = self.run(pod)
        until(lambda: self.is_ready(uid), seconds, lambda: self.tell(uid), every=0.02)
        return uid

    def exec(self, uid: str, *command: str) -> bytes:
        """What a command in the pod's container prints."""
        ref = PodRef(uid, "default", self.api.pods[uid]["metadata"]["name"])
        return self.runtime.exec(ref, self.container_id(uid), command, 10)[1]

    def printed(self, uid: str, attempt: int) -> bytes:
        """What an attempt of the pod's container has printed."""
        ref = PodRef(uid, "default", self.api.pods[uid]["metadata"]["name"])
        return b"".join(self.runtime.logs(ref, "web", LogOptions(attempt=attempt)))

    def delete(self, uid: str, grace: int = 1) -> None:
        if uid in self.api.pods:
            self.api.delete(uid, grace, self.clock.now())
            self.agent.nudge()

    def deleted(self, *uids: str, seconds: float = 30) -> None:
        """Delete pods and wait until they are gone."""
        for uid in uids:
            self.delete(uid)
        until(lambda: not set(uids) & set(self.api.pods), seconds, lambda: self.tell(*uids), every=0.02)

    # --- what a user sees

    def status(self, uid: str) -> Object:
        return (self.api.pods.get(uid) or {}).get("status") or {}

    def entry(self, uid: str, name: str = "web") -> Object:
        """A container's status; empty while there is none."""
        return next((c for c in self.status(uid).get("containerStatuses") or () if c["name"] == name), {})

    def is_ready(self, uid: str, restarts: int = 0) -> bool:
        """Whether the pod is Ready, its container having been restarted so often at least."""
        ready = condition(self.status(uid), "Ready").get("status") == "True"
        return ready and self.entry(uid).get("restartCount", -1) >= restarts

    def waiting(self, uid: str) -> Object:
        return (self.entry(uid).get("state") or {}).get("waiting") or {}

    def container_id(self, uid: str) -> str:
        return str(self.entry(uid).get("containerID", "")).removeprefix("docker://")

    def sandbox(self, uid: str) -> str:
        return self.owner.sandbox_name(uid)

    def tell(self, *uids: str) -> str:
        """What a failing test shows."""
        shown: list[object] = [self.api.ready(), *(self.status(uid) for uid in uids), self.api.events]
        return "\n".join(map(str, shown))


_numbers: Iterator[int] = iter(range(1, 10_000))


def pod(script: str = SLEEPS, *, image: str = BUSYBOX, restart: str = "Always", **container: Any) -> Object:
    """A pod of one container `web` that no other test has."""
    number = next(_numbers)
    meta = {"name": f"web-{number}", "namespace": "default", "uid": f"uid-{number}"}
    spec = {
        "nodeName": "n1",
        "restartPolicy": restart,
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {
                "name": "web",
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["/bin/sh", "-c", script],
                **container,
            }
        ],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {"phase": "Pending"}}


def reasons(events: Iterable[tuple[str, str, str]]) -> set[str]:
    return {reason for _, reason, _ in events}
