"""The agents of one process, and what they share: one node's agent, or those of many simulated nodes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from app.base.clock import Clock
from app.base.errors import UserError
from app.base.ids import Ids
from app.base.settings import Settings
from app.bus.loops import Loop
from app.bus.nudges import NO_QUEUE
from app.client.certificates import obtain
from app.client.http import ApiClient
from app.client.node_control import CANCEL, SHUTDOWN, socket_path
from app.trust.requests import NODE_PREFIX, NODES
from workers.agent.agent import Agent
from workers.agent.api import NodeApi
from workers.agent.exchange.credentials import AGAIN, Credentials
from workers.agent.exchange.exchanger import Exchanger
from workers.agent.exchange.watching import Watching
from workers.agent.jobs import ThreadedJobs
from workers.agent.node.control import Control
from workers.network.node import NodeNetwork
from workers.runtime import select

log = logging.getLogger("beanpole.agent")

# Threads of each lane; they are started when needed. A step of a real pod waits for its engine; one of a
# simulated pod only computes, so that more threads than cores would just take turns.
REAL = {"pod": 24, "probe": 1, "stop": 1024, "exchange": 2, "node": 6}
SIMULATED = {"pod": 2, "probe": 1, "stop": 4, "exchange": 2, "node": 2}
# How long what is done for pods when the agent is told to end may take. Whoever told it has a limit, too. Seconds.
LAST_STEPS = 5.0
# How often containers that die without being asked to are looked for, where no thread listens. Seconds.
LOOK_FOR_DEATHS = 0.05
# Who waits for the machine's pods to end hears of it as often as this. Seconds.
TELL = 5.0
# An exchange that takes longer has failed. Seconds.
EXCHANGE_TIMEOUT = 15.0


class Crew:
    """See the module.

    Raises:
        UserError: there is no name for the node, or no runtime can work here.
    """

    def __init__(self, settings: Settings, clock: Clock, ids: Ids) -> None:
        if not settings.node:
            raise UserError("the agent has no name for its node; set BEANPOLE_NODE")
        name, why = select.name_for(settings)
        many = name == "simulated" and settings.nodes > 1
        names = [f"{settings.node}-{i}" for i in range(settings.nodes)] if many else [settings.node]
        lanes = SIMULATED if name == "simulated" else REAL
        self._jobs = ThreadedJobs(clock, lanes)
        self._client = ApiClient.of(settings, timeout=EXCHANGE_TIMEOUT, connections=lanes["exchange"] + 4)
        self._exchanger = Exchanger(self._client.exchange, self._jobs, clock, ids)
        log.info("%s: runtime %s, %s", settings.node, name, why)
        if name != "simulated":
            for node in names:
                _keep_from_lists(settings.state_dir / "pods" / node)
        self.agents = [
            Agent(
                NodeApi(self._client, node),
                select.make(settings, clock, node, name),
                NodeNetwork(settings, name, node, clock=clock, ids=ids),
                clock,
                ids,
                replace(settings, node=node),
                queue=NO_QUEUE if watches(settings) else settings.node,
                jobs=self._jobs,
                exchanger=self._exchanger,
            )
            for node in names
        ]
        self._clock, self._ids, self._settings = clock, ids, settings
        self._watching: list[Watching] = []
        self._control = Control(socket_path(settings.state_dir, settings.node), self.told)
        self._quiet = [agent for agent in self.agents if agent.tells_deaths]

    def called(self, name: str) -> None:
        """See `app.bus.loops.Host`. The name makes no difference."""

    def loops(self) -> Sequence[Loop]:
        """Start. What an agent does runs as jobs, and needs no loop of the worker's."""
        self._control.start()
        for agent in self.agents:
            agent.start()
        if self._quiet:
            self._look_for_deaths()
        if watches(self._settings):
            for agent in self.agents:
                self._watching.append(Watching(self._client, agent.name, agent.nudge))
                self._watching[-1].start()
        if self._settings.client_cert_file:
            self._look_after_credentials(self._credentials())
        return ()

    def told(self, word: str) -> Iterator[str]:
        """What somebody on this machine says, and what is answered (`app.client.node_control`)."""
        if word == CANCEL:
            for agent in self.agents:
                agent.shutdown.cancel()
                yield f"node {agent.name}: the machine stays"
        elif word == SHUTDOWN:
            for agent in self.agents:
                agent.shutdown.begin()
                yield f"node {agent.name}: ending its pods"
            for agent in self.agents:
                while not agent.shutdown.done.wait(TELL):
                    yield f"node {agent.name}: some pods have not ended yet"
                ended = "its pods have ended" if agent.around.leaving else "the machine stays"
                yield f"node {agent.name}: {ended}"
        else:
            yield f"say {SHUTDOWN} or {CANCEL}"

    def power_fails(self, *_: object) -> None:
        """SIGPWR. A signal may come at any instruction, so that nothing is waited for here."""

        def begin() -> None:
            for agent in self.agents:
                agent.shutdown.begin()

        threading.Thread(target=begin, name="agent-power", daemon=True).start()

    def wake(self) -> None:
        """Begin nothing more."""
        for each in self._watching:
            each.stop()
        self._jobs.close(wait=False)

    def nudge(self, nodes: Sequence[str]) -> None:
        """Something changed for these nodes."""
        self._exchanger.ask([agent.name for agent in self.agents if agent.name in nodes], 0.0)

    def close(self) -> None:
        """Let go of everything but the containers. What a step has begun it may end; who waits for a container that
        ends is left to the next agent."""
        self._control.stop()
        self._jobs.join(("pod", "node"), LAST_STEPS)
        self._exchanger.farewell()
        for agent in self.agents:
            agent.stop()
        self._client.close()

    def _credentials(self) -> Credentials:
        settings = self._settings
        certificate, key = settings.client_cert_file, settings.client_key_file
        return Credentials(
            Path(certificate),
            Path(key),
            lambda: obtain(self._client, NODE_PREFIX + settings.node, [NODES], self._clock),
            lambda: self._client.renew(certificate, key),
            self._clock,
            self._ids,
        )

    def _look_after_credentials(self, credentials: Credentials) -> None:
        again = AGAIN
        try:
            again = credentials.look()
        finally:
            # Whatever went wrong: without a certificate the node is shut out.
            self._jobs.after(
                "credentials", again, lambda: self._look_after_credentials(credentials), "exchange"
            )

    def _look_for_deaths(self) -> None:
        try:
            for agent in self._quiet:
                agent.look_for_deaths()
        finally:
            # Whatever it was, the deaths to come have to be heard.
            self._jobs.after("deaths", LOOK_FOR_DEATHS, self._look_for_deaths, "probe")


def _keep_from_lists(folder: Path) -> None:
    """Nobody but the agent may list the folders of pods, in which Secrets lie: each is named after its pod's uid, which
    is as good as a secret. Passing through must be possible: an engine may look with another user's rights."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)


def watches(settings: Settings) -> bool:
    """Whether the agent hears of changes by watching the API. Raises UserError for another word than it knows."""
    if settings.nudges not in ("broker", "watch"):
        raise UserError(f"BEANPOLE_NUDGES={settings.nudges!r} must be broker or watch")
    return settings.nudges == "watch"
