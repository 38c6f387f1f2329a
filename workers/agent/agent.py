"""One node's agent: it exchanges news with the API, and sees to the node's pods.

Everything is a job (see `jobs`): one for the exchange, one for each pod, one for the node itself. With
`SteppedJobs` all of it runs in one thread, when told to; with `ThreadedJobs` by itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from typing import Any

from app.base.clock import Clock
from app.base.ids import Ids
from app.base.settings import Settings
from app.objects.change import Object
from app.objects.persistent import CLAIMS, VOLUMES
from workers.agent import volumes
from workers.agent.account_tokens import AccountTokens
from workers.agent.conversation import Conversation, Told
from workers.agent.exchanger import COALESCE, Exchanger, Turn
from workers.agent.jobs import Jobs, SteppedJobs
from workers.agent.lifecycle import Lifecycle
from workers.agent.machine import Machine
from workers.agent.notes import Notes
from workers.agent.outbox import Outbox
from workers.agent.probes import Probes
from workers.agent.probing import Prober, prober_for
from workers.agent.reclaim import Reclaimer
from workers.agent.record import Record, orphan
from workers.agent.services import ServiceNews
from workers.agent.sessions import Sessions
from workers.agent.streams import Streams
from workers.agent.surroundings import AgentApi, Network, Surroundings
from workers.agent.usage import UsageMeter
from workers.runtime.protocol import ContainerError, Runtime, TellsDeaths

log = logging.getLogger("beanpole.agent")

# While a pod waits for the other nodes to apply its removal. Seconds.
POLL = 0.1
# After a step failed in a way that nobody foresaw. Seconds.
FAILED_PAUSE = 5.0
# How often the machine itself is looked at. Seconds.
LOOK = 10.0


class Agent:
    """See the module.

    Args:
        api: how to reach the API. network: the node's services and names.
        node: the node's name; empty means `settings.node`. queue: where its nudges go; empty means its name.
        jobs: where its work runs; by default in whichever thread calls `sync_once`.
        prober: how probes are tried; by default over the network, or by asking a runtime that answers them.
        exchanger: makes its exchanges, with those of the process's other nodes; by default its own alone.
    """

    def __init__(
        self,
        api: AgentApi,
        runtime: Runtime,
        network: Network,
        clock: Clock,
        ids: Ids,
        settings: Settings,
        *,
        node: str = "",
        queue: str = "",
        jobs: Jobs | None = None,
        prober: Prober | None = None,
        exchanger: Exchanger | None = None,
    ) -> None:
        self.name = node or settings.node
        self.jobs = jobs or SteppedJobs(clock)
        self._api, self._clock, self._ids, self._settings = api, clock, ids, settings
        self._exchanger = exchanger or Exchanger(api.exchange, self.jobs, clock, ids)
        self._exchanger.join(self)
        self._services = self._exchanger.services
        self._notes = Notes(clock)
        self._outbox = Outbox()
        self._told = Conversation(self.name, settings.exchange)
        self._around = Surroundings(
            self.name,
            runtime,
            network,
            clock,
            ids,
            settings,
            self._notes,
            tokens=AccountTokens(api.request_token, clock, ids),
            objects=self._told.objects,
            services=self._services.services,
            slices=self._services.slices,
        )
        self._probes = Probes(
            self.name,
            self.jobs,
            clock,
            prober or prober_for(runtime),
            self._unhealthy,
            self.wake,
            runtime.name,
        )
        self._lifecycle = Lifecycle(
            self._around,
            self._probes,
            self._outbox,
            self.jobs,
            self.wake,
            self._report,
            lambda: self._services.applied,
        )
        self._streams = Streams(api, runtime, self.jobs, self._find)
        self._sessions = Sessions(api, runtime, self.jobs, self._find)
        self._lock = threading.RLock()
        self._rules = 0
        self._rules_due = True
        self._machine = Machine(self._around, queue or self.name)
        self._reclaimer = Reclaimer(self._around, self.jobs, self._report)
        self._meter = UsageMeter(self.name, runtime, clock, self.jobs, settings.usage)
        self._adopted = False
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin: exchange, and listen for containers that die, unless the runtime says so when asked (`died`)."""
        self._exchange_in(0.0)
        if not self.tells_deaths:
            threading.Thread(target=self._listen, name=f"agent-events-{self.name}", daemon=True).start()

    def stop(self) -> None:
        """End, leaving all containers running. What was not reported yet is, if the API answers."""
        self._stopping.set()
        self._exchanger.farewell()
        self._around.runtime.close()
        self._around.network.close()

    def nudge(self) -> None:
        """Something changed for this node: exchange at once."""
        self._exchange_in(0.0)

    def wake(self, uid: str, delay: float = 0.0) -> None:
        """Look at a pod in `delay` seconds at the latest."""
        self.jobs.after(("pod", self.name, uid), delay, lambda: self.step(uid))

    def sync_once(self) -> int:
        """Run what is due, in this thread; how many jobs that were. Only for an agent that is stepped."""
        assert isinstance(self.jobs, SteppedJobs)
        self.look_for_deaths()
        return self.jobs.run_due()

    def step(self, uid: str) -> None:
        """Do what there is to do for one pod now."""
        record = self._told.records.get(uid)
        if record is None or not self._adopted:
            return
        if record.finished:
            if record.unknown:
                self._drop(uid)
            return
        try:
            self._lifecycle.step(record)
        except Exception:
            # Whatever it was, the pod is not given up.
            self.wake(uid, FAILED_PAUSE)
            raise
        if record.finished and record.unknown:
            self._drop(uid)

    def exchange_once(self) -> None:
        """See `Exchanger.exchange`, which calls the methods after this one."""
        self._exchanger.exchange([self.name])

    @property
    def news(self) -> int:
        return len(self._outbox) + len(self._notes) + self._meter.weight

    def speak(self) -> Turn:
        with self._lock:
            batch, notes = self._outbox.take(), self._notes.take()
            if not self._machine.known:
                self._look()
            if not self._rules_due:
                # Rules that did not change are in force as of the revision that is known.
                self._rules = self._services.since
            request: dict[str, Any] = {
                "since": self._told.since,
                "epoch": self._told.epoch,
                "node": self._machine.due(self._told.send_node),
                "statuses": list(batch.statuses.values()),
                "removed": list(batch.removed.values()),
                "events": notes,
                "rules": self._rules,
                "mount": self._mounted(),
                "usage": self._meter.take(),
                "emptied": self._reclaimer.emptied,
            }
            return Turn(request, batch, notes)

    def unheard(self, turn: Turn) -> None:
        self._notes.keep(turn.notes)

    def hear(self, turn: Turn, answer: dict[str, Any], common: dict[str, Any]) -> None:
        with self._lock:
            self._outbox.accepted(turn.batch)
            self._reclaimer.accepted(turn.request["emptied"])
            if turn.request["node"] is not None:
                self._machine.accepted(turn.request["node"])
            told = self._told.fold(answer, common, self._clock.now())
            self._prepare()
            if self._adopted:
                self._forget_finished()
            elif self._machine.prepared and self._told.since:
                self._adopt(told)
            if self._rules_due and self._services.since:
                self._apply_rules()
            self._wake_told(told)
        self._reclaimer.asked(answer.get("empty") or ())
        for request in answer.get("streams") or ():
            (self._sessions if "kind" in request else self._streams).answer(request)
        self._exchange_in(self._next_exchange())

    def services_changed(self, news: ServiceNews) -> None:
        with self._lock:
            left = self._told.follow(self._services.serving.get(self.name) or set(), self._services.since)
            self._rules_due = True
            if self._apply_rules() and news.withdrawn:
                # Somebody may be waiting for this node to say so before stopping a container.
                self._exchange_in(COALESCE)
            for uid in left:
                self.wake(uid)

    def _next_exchange(self) -> float:
        """In how many seconds, if nothing comes up."""
        if self._outbox or self._notes or self._told.since == 0 or self._told.send_node:
            return COALESCE
        if any(r.deleting and self._lifecycle.is_draining(r) for r in list(self._told.records.values())):
            return POLL
        return self._told.interval

    def _wake_told(self, told: Told) -> None:
        if told.objects:
            for uid, record in self._told.records.items():
                if any(f"{r} {k}" in told.objects for r, k in self._drawn_on(record)):
                    record.volumes_due = True
                    for mine in record.memory.containers.values():
                        if mine.failures == 0:
                            mine.retry_at = 0.0
                    told.pods.append(uid)
        for cut in [r for uid in told.kill if (r := self._told.records.get(uid)) and r.memory.stopping]:
            self.jobs.beside(lambda record=cut: self._lifecycle.kill(record))  # type: ignore[misc]
        for uid in dict.fromkeys(told.pods):
            self.wake(uid)

    def _apply_rules(self) -> bool:
        """Put changed services in force; whether that worked. If not, the next exchange tries again."""
        services = self._services
        applied = self._around.network.update(
            services.services.values(), services.slices.values(), services.since
        )
        if applied:
            self._rules, self._rules_due = services.since, False
            self._lifecycle.services_changed(list(self._told.records.values()))
        return applied

    def _mounted(self) -> list[list[str]]:
        pairs = {pair for record in self._told.records.values() for pair in self._drawn_on(record)}
        return [list(pair) for pair in sorted(pairs)]

    def _drawn_on(self, record: Record) -> Collection[tuple[str, str]]:
        """What the pod draws on; where it has claims, also the volumes to which they lead."""
        claims = [pair for pair in record.draws_on if pair[0] == CLAIMS]
        if not claims:
            return record.draws_on
        found = set(record.draws_on)
        for resource, key in claims:
            claim = self._told.objects.get(f"{resource} {key}")
            name = (claim.get("spec") or {}).get("volumeName") if claim else None
            if name:
                found.add((VOLUMES, name))
        return found

    def _exchange_in(self, delay: float) -> None:
        self._exchanger.ask([self.name], delay)

    def _report(self) -> None:
        self._exchanger.ask([self.name], COALESCE, news=True)

    def _look(self) -> None:
        if not self._stopping.is_set():
            self.jobs.after(("node", self.name), LOOK, self._look, "exchange")
        if self._machine.look():
            self._report()

    def _prepare(self) -> None:
        """Make the node ready for pods, once its range is known; that, or why not, is news."""
        before = self._machine.prepared
        self._machine.prepare(self._told.pod_cidr)
        tried = bool(self._told.pod_cidr) and self._machine.prepared != self._told.pod_cidr
        if (tried or self._machine.prepared != before) and self._machine.look():
            self._report()

    def _adopt(self, told: Told) -> None:
        """Match what runs with what should: the first time that both are known."""
        try:
            running = self._around.runtime.pods()
        except ContainerError as exc:
            log.warning("%s: %s", self.name, exc)
            return
        for state in running:
            if self._around.addresses and state.address:
                self._around.addresses.adopt(state.pod.uid, state.address)
            if state.pod.uid not in self._told.records:
                log.info("%s: ending a pod the API does not have: %s", self.name, state.pod)
                self._told.records[state.pod.uid] = orphan(state.pod, self._clock.now())
        for uid in self._around.folders():
            if uid not in self._told.records:
                volumes.remove(self._around.folder(uid))
        self._adopted = True
        self._meter.begin()
        told.pods[:] = list(self._told.records)

    def _forget_finished(self) -> None:
        for uid in [u for u, r in self._told.records.items() if r.finished and r.unknown]:
            self._drop(uid)

    def _drop(self, uid: str) -> None:
        self._told.records.pop(uid, None)
        self._outbox.forget(uid)
        self.jobs.cancel(("pod", self.name, uid))
        if self._told.objects and not any(r.draws_on for r in self._told.records.values()):
            self._told.objects.clear()

    def _find(self, namespace: str, name: str) -> Record | None:
        for record in list(self._told.records.values()):
            meta = record.pod["metadata"]
            if meta["name"] == name and meta.get("namespace") == namespace and not record.unknown:
                return record
        return None

    def _unhealthy(self, pod: Object, container: str, kind: str, message: str) -> None:
        text = f"{kind.capitalize()} probe failed: {message}"
        self._notes.tell(pod, "Unhealthy", text, warning=True, container=container)
        self._report()

    @property
    def tells_deaths(self) -> bool:
        """Whether `look_for_deaths` is to be called now and then: no thread listens."""
        return isinstance(self._around.runtime, TellsDeaths)

    def look_for_deaths(self) -> None:
        """Wake pods of which a container died, where the runtime says so without blocking."""
        runtime = self._around.runtime
        if isinstance(runtime, TellsDeaths):
            try:
                for uid in runtime.died():
                    self.wake(uid)
            except ContainerError as exc:
                log.debug("%s: %s", self.name, exc)

    def _listen(self) -> None:
        """Wake pods whose containers die. When the runtime goes away, wait for it and look at everything anew."""
        while not self._stopping.is_set():
            try:
                for uid in self._around.runtime.events():
                    self.wake(uid)
            except ContainerError as exc:
                log.warning("%s: %s", self.name, exc)
            if self._stopping.wait(1.0):
                return
            with self._lock:
                self._machine.unprepare()
                self._prepare()
            for uid in list(self._told.records):
                self.wake(uid)
