"""A cluster of one node for tests of the agent: a clock moved by hand, an API in memory, simulated containers."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from app.base.clock import rfc3339
from app.base.ids import RandomIds
from app.base.settings import Settings
from app.client.http import Unreachable
from app.objects.change import Object
from tests.clock import HandClock
from workers.agent.agent import Agent
from workers.agent.jobs import SteppedJobs
from workers.runtime.simulated import Machine, SimulatedRuntime

START = 1_800_000_000.0
CIDR = "10.244.1.0/24"
_NETWORK = ("services", "servicesGone", "endpointslices", "endpointslicesGone")


class NoNetwork:
    """A network without services; remembers what it was told."""

    def __init__(self) -> None:
        self.revision = -1
        self.services: list[Object] = []
        self.in_force = True

    def start(self, gateway: str) -> None:
        self.gateway = gateway

    def update(self, services: Iterable[Object], endpointslices: Iterable[Object], revision: int) -> bool:
        self.services, self.revision = list(services), revision
        return True

    def hosts(self, pod: Object, address: str) -> str:
        return ""

    def hosts_mark(self, pod: Object) -> int:
        return 0

    def keep(self) -> None:
        self.in_force = True

    def reach(self, peers: object, own_address: str) -> None:
        """Nobody is elsewhere."""

    def resolv_conf(self, pod: Object) -> str:
        return ""

    def expose(self, pod: Object, address: str, node_ip: str, ports: tuple[object, ...]) -> None:
        """Nobody can connect."""

    def problems(self) -> dict[str, str]:
        return {}

    def close(self) -> None:
        """Nothing is held."""


class MemoryApi:
    """The exchange as `app.registry.exchange` answers it, for one node, over a dict."""

    def __init__(self) -> None:
        self.revision = 10
        self.epoch = 1
        self.pods: dict[str, Object] = {}
        self.objects: dict[str, Object | None] = {}
        self.network: dict[str, list[Any]] = {}
        self.events: dict[tuple[str, str, str], int] = {}
        self.node: Object | None = None
        self.requests: list[dict[str, Any]] = []
        self.streams: list[dict[str, Any]] = []
        self.empty: dict[str, Object] = {}
        self.streamed: dict[str, bytes] = {}
        self.others_applied: int | None = None
        self.down = False
        self.made = 0
        self.standing: Object = {"uid": "node-uid", "labels": {}, "taints": [], "allocatable": {}}
        self._changed: dict[str, int] = {}
        self._gone: dict[str, int] = {}
        self._touched: set[str] = set()

    def put(self, pod: Object) -> str:
        self.revision += 1
        uid = pod["metadata"]["uid"]
        self.pods[uid] = copy.deepcopy(pod)
        self._changed[uid] = self.revision
        return str(uid)

    def delete(self, uid: str, grace: int, now: float) -> None:
        pod = copy.deepcopy(self.pods[uid])
        pod["metadata"]["deletionTimestamp"] = rfc3339(now + grace)
        pod["metadata"]["deletionGracePeriodSeconds"] = grace
        self.put(pod)

    def vanish(self, uid: str) -> None:
        self.revision += 1
        del self.pods[uid]
        self._gone[uid] = self.revision

    def set_object(self, key: str, obj: Object | None) -> None:
        self.revision += 1
        self.objects[key] = obj
        self._touched.add(key)

    def lead_to(self, uid: str, ready: bool = True) -> None:
        """Have a service with one endpoint, the first pod of the node."""
        endpoint = {
            "nodeName": "n1",
            "addresses": ["10.244.1.2"],
            "targetRef": {"uid": uid},
            "conditions": {"ready": ready},
        }
        self.revision += 1
        meta = {"namespace": "default", "name": "web-abc"}
        self.network = {"endpointslices": [{"metadata": meta, "endpoints": [endpoint]}]}

    def exchange(self, said: dict[str, Any]) -> dict[str, Any]:
        [(name, request)] = said["nodes"].items()
        known = said["network"]
        answer = self._answer(request)
        network = {field: answer.pop(field) for field in _NETWORK if field in answer}
        network["full"] = not known["since"] or known["epoch"] != self.epoch
        common = {field: answer.pop(field) for field in ("epoch", "revision", "applied", "interval")}
        return {**common, "network": network, "nodes": {name: answer}}

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(copy.deepcopy(request))
        if self.down:
            raise Unreachable("the API is down")
        if request["node"]:
            self.node = request["node"]
        for said in request["statuses"]:
            if said["uid"] in self.pods:
                self.pods[said["uid"]]["status"] = copy.deepcopy(said["status"])
        for said in request["removed"]:
            if said["uid"] in self.pods and "deletionTimestamp" in self.pods[said["uid"]]["metadata"]:
                self.vanish(said["uid"])
        for event in request["events"]:
            self.events[event["regarding"].get("uid", ""), event["reason"], event["message"]] = event["count"]
        for said in request["emptied"]:
            self.empty.pop(said["uid"], None)
        since = request["since"]
        full = not since or request["epoch"] != self.epoch
        pods = [p for u, p in self.pods.items() if full or self._changed[u] > since]
        keys = {f"{r} {k}" for r, k in request["mount"] if full or f"{r} {k}" in self._touched}
        self._touched.clear()
        for pod in pods:
            keys |= set(pod.get("draws_on", ()))
        network, self.network = self.network, {}
        rules = request["rules"]
        streams, self.streams = self.streams, []
        return {
            "epoch": self.epoch,
            "revision": self.revision,
            "full": full,
            "podCIDR": CIDR if self.node else "",
            "pods": copy.deepcopy(pods),
            "gone": [u for u, r in self._gone.items() if r > since],
            "objects": {k: self.objects.get(k) for k in keys},
            "applied": rules if self.others_applied is None else min(rules, self.others_applied),
            "streams": streams,
            "empty": copy.deepcopy(list(self.empty.values())),
            "interval": 5.0,
            "sendNode": self.node is None,
            "node": self.standing,
            **network,
        }

    def request_token(self, namespace: str, account: str, request: Object) -> Object:
        raise Unreachable("pods here use no tokens")

    def create_pod(self, pod: Object) -> Object:
        if self.down:
            raise Unreachable("the API is down")
        self.made += 1
        made = {
            **pod,
            "metadata": {**pod["metadata"], "uid": f"made-{self.made}"},
            "status": {"phase": "Pending"},
        }
        self.put(made)
        return made

    def delete_pod(self, pod: Object) -> None:
        if self.down:
            raise Unreachable("the API is down")
        if pod["metadata"]["uid"] in self.pods:
            self.vanish(pod["metadata"]["uid"])

    def post_stream(self, stream: str, chunks: Iterable[bytes]) -> None:
        self.streamed[stream] = b"".join(chunks)


class World:
    """One agent on one simulated machine."""

    def __init__(
        self, folder: Path, machine: Machine | None = None, api: MemoryApi | None = None, **settings: Any
    ) -> None:
        self.clock = HandClock(START)
        self.api = api or MemoryApi()
        self.machine = machine or Machine()
        self.network = NoNetwork()
        self.folder = folder
        self.settings = settings
        self.begin()

    def begin(self) -> None:
        """Start an agent, or another one in place of the one that was."""
        self.runtime = SimulatedRuntime(self.clock, "n1", self.machine)
        self.jobs = SteppedJobs(self.clock)
        settings = Settings(node="n1", state_dir=self.folder, server="https://10.0.0.1:6443", **self.settings)
        self.agent = Agent(
            self.api, self.runtime, self.network, self.clock, RandomIds(1), settings, jobs=self.jobs
        )
        self.agent.start()

    def run(self, seconds: float = 0.5) -> None:
        """Let time pass, job by job."""
        end = self.clock.at + seconds
        while True:
            self.agent.sync_once()
            due = self.jobs.next_due()
            crash = self.machine.crashes[0][0] if self.machine.crashes else None
            steps = [t for t in (due, crash) if t is not None and t > self.clock.at]
            if not steps or min(steps) > end:
                break
            self.clock.at = min(steps)
        self.clock.at = end

    def change(self, seconds: float = 0.5) -> None:
        """Tell the agent that something changed, and let time pass."""
        self.agent.nudge()
        self.run(seconds)

    def status(self, uid: str) -> Object:
        return self.api.pods[uid].get("status") or {}

    def reasons(self) -> set[str]:
        return {reason for _, reason, _ in self.api.events}


def pod(
    name: str = "web-1",
    *,
    annotations: dict[str, str] | None = None,
    restart: str = "Always",
    init: list[Object] | None = None,
    **container: Any,
) -> Object:
    """A pod of one container `web`, bound to the node."""
    spec: Object = {
        "nodeName": "n1",
        "restartPolicy": restart,
        "containers": [{"name": "web", "image": "web:1", **container}],
    }
    if init:
        spec["initContainers"] = init
    meta = {
        "name": name,
        "namespace": "default",
        "uid": f"uid-{name}",
        "annotations": {f"simulated.beanpole.dev/{k}": v for k, v in (annotations or {}).items()},
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {"phase": "Pending"}}


def condition(status: Object, type_: str) -> Object:
    found: Iterator[Object] = (c for c in status.get("conditions") or () if c["type"] == type_)
    return next(found, {})


def waiting(status: Object, container: str = "web") -> str:
    entries = [*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ())]
    for entry in entries:
        if entry["name"] == container:
            return str((entry["state"].get("waiting") or {}).get("reason", ""))
    return ""
