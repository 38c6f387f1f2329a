"""What one node says in an exchange, and what follows from the answer (`exchanger.Speaker`)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import orjson

from app.base.settings import Settings
from workers.agent.admitting.admission import Room
from workers.agent.api import AgentApi
from workers.agent.exchange.conversation import Conversation
from workers.agent.exchange.exchanger import COALESCE, Exchanger, Turn
from workers.agent.exchange.outbox import Outbox
from workers.agent.exchange.services import ServiceNews
from workers.agent.jobs import Jobs
from workers.agent.node.machine import Machine
from workers.agent.node.readiness import Readiness
from workers.agent.node.usage import UsageMeter
from workers.agent.pods import Pods
from workers.agent.pressure.evictor import Evictor
from workers.agent.static.pods import StaticPods
from workers.agent.surroundings import Surroundings
from workers.agent.volumes.reclaim import Reclaimer
from workers.runtime.protocol import ContainerError

log = logging.getLogger("beanpole.agent")

# While a pod waits for the other nodes to apply its removal. Seconds.
POLL = 0.1


class Dialogue:
    """See the module.

    Args:
        queue: where the node's nudges go. asked: an answer asked for a stream.

    Attributes:
        static: the node's static pods. evictor: ends pods when the machine runs short.
    """

    def __init__(
        self,
        api: AgentApi,
        around: Surroundings,
        told: Conversation,
        outbox: Outbox,
        pods: Pods,
        exchanger: Exchanger,
        jobs: Jobs,
        settings: Settings,
        queue: str,
        asked: Callable[[dict[str, Any]], None],
    ) -> None:
        self.name = around.node
        self._around, self._told, self._outbox, self._pods = around, told, outbox, pods
        self._exchanger, self._jobs, self._asked = exchanger, jobs, asked
        self._services = exchanger.services
        self.evictor = Evictor(around, jobs, lambda: pods.records, pods.wake, lambda: self._readiness.look())
        self.evictor.disk_used = pods.disk.used
        self._machine = Machine(around, queue, self.evictor.look)
        self._reclaimer = Reclaimer(around, jobs, self.report)
        self._meter = UsageMeter(around.node, around.runtime, around.clock, jobs, settings.usage)
        self._lock = threading.RLock()
        self._rules = 0
        self._rules_due = True
        self._readiness = Readiness(
            around, self._machine, told, pods, jobs, self._lock, self.report, self._meter.begin
        )
        self.static = StaticPods(around, told, api, jobs, self._lock, pods.wake, self._first)
        pods.dropped = self.static.dropped

    def _first(self) -> None:
        """The API has not been heard yet: make the node ready for static pods, if the machine can be."""
        if self._pods.adopted or self._pods.early:
            return
        self._readiness.make()
        if self._machine.prepared:
            try:
                self._pods.adopt_early(self._readiness.running())
            except ContainerError as exc:
                log.warning("%s: %s", self.name, exc)

    def stop(self) -> None:
        """Look at the machine no more."""
        self._readiness.stop()

    def ask(self, delay: float) -> None:
        """Exchange in `delay` seconds at the latest."""
        self._exchanger.ask([self.name], delay)

    def report(self) -> None:
        """There is something to say."""
        self._exchanger.ask([self.name], COALESCE, news=True)

    def runtime_is_back(self) -> None:
        """The runtime went away and may have forgotten everything: make the node ready again."""
        self._readiness.again()

    def standing_changed(self) -> None:
        """Tell of the node at once."""
        self._readiness.look()
        self.ask(0.0)

    @property
    def all_said(self) -> bool:
        """Whether the API has heard everything."""
        return not (self._outbox or self._around.notes or self._machine.due(False))

    def room(self) -> Room | None:
        """The node as it matters for pods that are to run on it."""
        return self._machine.room(self._told.standing, self.evictor.conditions)

    @property
    def news(self) -> int:
        return len(self._outbox) + len(self._around.notes) + self._meter.weight

    def speak(self, room: int) -> Turn:
        if not self._machine.known:
            self._readiness.look()
        with self._lock:
            if not self._rules_due:
                # Rules that did not change are in force as of the revision that is known.
                self._rules = self._services.since
            request: dict[str, Any] = {
                "since": self._told.since,
                "epoch": self._told.epoch,
                "node": self._machine.due(self._told.send_node),
                "rules": self._rules,
                "mount": self._pods.mounted(),
                "usage": self.static.used(self._meter.take()),
                "emptied": self._reclaimer.emptied,
            }
            batch, left = self._outbox.take(room - len(orjson.dumps(request)))
            request["statuses"] = self.static.reported(batch.statuses.values())
            request["removed"] = self.static.removed(batch.removed.values())
            notes = request["events"] = self._around.notes.take(left)
            return Turn(request, batch, notes, room - left + len(orjson.dumps(notes)))

    def unheard(self, turn: Turn) -> None:
        self._around.notes.keep(turn.notes)

    def hear(self, turn: Turn, answer: dict[str, Any], common: dict[str, Any]) -> None:
        with self._lock:
            self._outbox.accepted(turn.batch)
            self._reclaimer.accepted(turn.request["emptied"])
            if turn.request["node"] is not None:
                self._machine.accepted(turn.request["node"])
            told = self._told.fold(answer, common, self._around.clock.now())
            try:
                if self._pods.adopted:
                    self._pods.forget_finished()
                if self._rules_due and self._services.since:
                    self._apply_rules()
            finally:
                # It is told once: whatever else goes wrong, the pods hear of it.
                self._pods.told(told)
        self.static.heard()
        self._readiness.heard()
        self._reclaimer.asked(answer.get("empty") or ())
        for request in answer.get("streams") or ():
            self._asked(request)
        self.ask(self._next())

    def services_changed(self, news: ServiceNews) -> None:
        if news.moved:
            self._around.network.reach(self._around.peers, self._around.node_ip)
        if not news.changed:
            return
        with self._lock:
            left = self._told.follow(self._services.serving.get(self.name) or set(), self._services.since)
            self._rules_due = True
            if self._apply_rules() and news.withdrawn:
                # Somebody may be waiting for this node to say so before stopping a container.
                self.ask(COALESCE)
            for uid in left:
                self._pods.wake(uid)

    def _next(self) -> float:
        """In how many seconds to exchange, if nothing comes up."""
        if self._outbox or self._around.notes or self._told.since == 0 or self._told.send_node:
            return COALESCE
        return POLL if self._pods.is_draining() else self._told.interval

    def _apply_rules(self) -> bool:
        """Put changed services in force; whether that worked. If not, the next exchange tries again."""
        services = self._services
        applied = self._around.network.update(
            services.services.values(), services.slices.values(), services.since
        )
        if applied:
            self._rules, self._rules_due = services.since, False
            self._pods.lifecycle.services_changed(self._pods.records)
        return applied
