"""A simulated node: a machine that outlives its agents."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import orjson

from app.base.ids import Ids
from app.base.settings import Settings
from app.objects.change import Object
from app.registry.exchange import exchange_json
from app.registry.registry import Registry
from app.store.view import View
from tests.clock import HandClock
from workers.agent.agent import Agent
from workers.runtime.simulated import Machine, SimulatedRuntime


class Api:
    """The exchange without HTTP: through JSON both ways, as on the wire."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = orjson.loads(
            exchange_json(self._registry, orjson.loads(orjson.dumps(request)))
        )
        return answer

    def post_stream(self, stream: str, chunks: Iterable[bytes]) -> None:
        raise AssertionError("nobody asks for streams in a simulation")

    def request_token(self, namespace: str, account: str, request: Object) -> Object:
        raise AssertionError("nobody mounts tokens in a simulation")


class NoNetwork:
    """Service rules that are in force the moment they are known."""

    revision = 0

    def start(self, gateway: str) -> None:
        return

    def update(self, services: Collection[Object], endpointslices: Collection[Object], revision: int) -> bool:
        self.revision = revision
        return True

    def hosts(self, pod: Object, address: str) -> str:
        return ""

    def hosts_mark(self, pod: Object) -> int:
        return 0

    def keep(self) -> None:
        """Nothing can be taken away."""

    def reach(self, peers: object, own_address: str) -> None:
        """Nobody is elsewhere."""

    def resolv_conf(self, pod: Object) -> str:
        return ""

    def expose(self, pod: Object, address: str, node_ip: str, ports: tuple[object, ...]) -> None:
        return

    def problems(self) -> dict[str, str]:
        return {}

    def close(self) -> None:
        return


class Node:
    """One node and whichever agent speaks for it now."""

    def __init__(self, name: str, registry: Registry, clock: HandClock, ids: Ids, settings: Settings) -> None:
        self.name = name
        self._registry = registry
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self.machine = Machine(cpu_millis=2000, memory_bytes=2 << 30, max_pods=20)
        self.restart_agent()

    def restart_agent(self) -> None:
        """The agent is killed, and another adopts what runs."""
        self.runtime = SimulatedRuntime(self._clock, self.name, self.machine)
        self.agent = Agent(
            Api(self._registry), self.runtime, NoNetwork(), self._clock, self._ids, self._settings,
            node=self.name,
        )  # fmt: skip
        self.agent.nudge()

    def step(self) -> None:
        self.agent.nudge()
        self.agent.sync_once()

    def crash(self, uid: str, container: str) -> bool:
        """Kill a container of a pod, if it runs here."""
        try:
            self.runtime.kill(uid, container)
        except KeyError:
            return False
        return True

    def orphans(self, view: View) -> list[str]:
        """Pods that run here although no object says so."""
        known = {pod["metadata"]["uid"] for pod in view.on_node(self.name)}
        return [f"{self.name} still runs {p.pod.name}" for p in self.runtime.pods() if p.pod.uid not in known]
