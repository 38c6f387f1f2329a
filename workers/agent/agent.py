"""One node's agent: it exchanges news with the API, and sees to the node's pods.

Everything is a job (see `jobs`): one for the exchange, one for each pod, one for the node itself. With
`SteppedJobs` all of it runs in one thread, when told to; with `ThreadedJobs` by itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from app.base.clock import Clock
from app.base.errors import ApiError, BeanpoleError
from app.base.ids import Ids
from app.base.settings import Settings
from app.objects.change import Object
from app.objects.references import references
from workers.agent import volumes
from workers.agent.conversation import Conversation, Told
from workers.agent.jobs import Jobs, SteppedJobs
from workers.agent.lifecycle import Lifecycle
from workers.agent.machine import Machine
from workers.agent.notes import Notes
from workers.agent.outbox import Outbox
from workers.agent.probes import Probes
from workers.agent.probing import Prober, prober_for
from workers.agent.record import Record, orphan
from workers.agent.streams import Streams
from workers.agent.surroundings import AgentApi, Network, Surroundings
from workers.runtime.protocol import ContainerError, Runtime

log = logging.getLogger("beanpole.agent")

# What happens within so long goes up in one exchange. Seconds.
COALESCE = 0.015
# While a pod waits for the other nodes to apply its removal. Seconds.
POLL = 0.1
# Pauses after an exchange that failed. Seconds.
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
# After a step or an exchange failed in a way that nobody foresaw. Seconds.
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
        coalesce: seconds within which news go up together.
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
        coalesce: float = COALESCE,
    ) -> None:
        self.name = node or settings.node
        self.jobs = jobs or SteppedJobs(clock)
        self._api, self._clock, self._ids, self._settings = api, clock, ids, settings
        self._queue, self._coalesce = queue or self.name, coalesce
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
            objects=self._told.objects,
            services=self._told.services,
            slices=self._told.slices,
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
            lambda: self._told.applied,
        )
        self._streams = Streams(api, runtime, self.jobs, self._find)
        self._lock = threading.RLock()
        self._rules = 0
        self._machine = Machine(self._around, self._queue)
        self._adopted = False
        self._pause = 0.0
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin: exchange, and listen for containers that die."""
        self._exchange_in(0.0)
        threading.Thread(target=self._listen, name=f"agent-events-{self.name}", daemon=True).start()

    def stop(self) -> None:
        """End, leaving all containers running. What was not reported yet is, if the API answers."""
        self._stopping.set()
        if self._outbox and self._told.since:
            try:
                self.exchange_once()
            except BeanpoleError as exc:
                log.info("%s: the last news could not be delivered: %s", self.name, exc)
        self._around.runtime.close()
        self._around.network.close()

    def nudge(self) -> None:
        """Something changed for this node: exchange at once."""
        self._exchange_in(0.0 if self._coalesce <= COALESCE else self._coalesce)

    def wake(self, uid: str, delay: float = 0.0) -> None:
        """Look at a pod in `delay` seconds at the latest."""
        self.jobs.after(("pod", self.name, uid), delay, lambda: self.step(uid))

    def sync_once(self) -> int:
        """Run what is due, in this thread; how many jobs that were. Only for an agent that is stepped."""
        assert isinstance(self.jobs, SteppedJobs)
        for uid in self._died():
            self.wake(uid)
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
        """One exchange with the API, and whatever follows from its answer. Raises what the API raised; then
        nothing that was to be said is lost."""
        with self._lock:
            batch = self._outbox.take()
            notes = self._notes.take()
            if not self._machine.known:
                self._look()
            node = self._machine.due(self._told.send_node)
            since = self._told.since
            request: dict[str, Any] = {
                "since": since,
                "epoch": self._told.epoch,
                "node": node,
                "statuses": list(batch.statuses.values()),
                "removed": list(batch.removed.values()),
                "events": notes,
                "rules": self._rules,
                "mount": self._mounted(),
            }
            try:
                answer = self._api.exchange(request)
            except BaseException:
                self._notes.keep(notes)
                raise
            self._outbox.accepted(batch)
            if node is not None:
                self._machine.accepted(node)
            self._fold(answer)

    def _fold(self, answer: dict[str, Any]) -> None:
        told = self._told.fold(answer, self._clock.now())
        self._prepare()
        if self._adopted:
            self._forget_finished()
        elif self._machine.prepared and self._told.since:
            self._adopt(told)
        self._apply_rules(told)
        self._wake_told(told)
        for request in answer.get("streams") or ():
            self._streams.answer(request)
        if self._told.since == 0 or self._told.send_node:
            self._exchange_in(self._coalesce)

    def _wake_told(self, told: Told) -> None:
        if told.objects:
            for uid, record in self._told.records.items():
                if any(f"{r} {k}" in told.objects for r, k in references(record.pod)):
                    record.volumes_due = True
                    for mine in record.memory.containers.values():
                        if mine.failures == 0:
                            mine.retry_at = 0.0
                    told.pods.append(uid)
        for cut in [r for uid in told.kill if (r := self._told.records.get(uid)) and r.memory.stopping]:
            self.jobs.beside(lambda record=cut: self._lifecycle.kill(record))  # type: ignore[misc]
        for uid in dict.fromkeys(told.pods):
            self.wake(uid)

    def _apply_rules(self, told: Told) -> None:
        """Put changed services in force. Rules that did not change are in force as of the new revision."""
        if told.network:
            network = self._around.network
            if not network.update(self._told.services.values(), self._told.slices.values(), self._told.since):
                return
            if told.withdrawn:
                # Somebody may be waiting for this node to say so before stopping a container.
                self._exchange_in(self._coalesce)
        self._rules = self._told.since

    def _mounted(self) -> list[list[str]]:
        pairs = {pair for record in self._told.records.values() for pair in references(record.pod)}
        return [list(pair) for pair in sorted(pairs)]

    def _exchange_in(self, delay: float) -> None:
        if not self._stopping.is_set():
            self.jobs.after(("exchange", self.name), delay, self._exchange_job, "exchange")

    def _report(self) -> None:
        # After a failure the pause stands: news don't make the API answer.
        self._exchange_in(max(self._coalesce, self._pause))

    def _exchange_job(self) -> None:
        try:
            self.exchange_once()
        except BeanpoleError as exc:
            self._pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, self._pause * 2))
            if isinstance(exc, ApiError) and exc.retry_after:
                self._pause = max(self._pause, float(exc.retry_after))
            log.warning("%s: the exchange failed: %s", self.name, exc)
            self._exchange_in(self._pause * (0.5 + self._ids.fraction()))
            return
        except Exception:
            self._exchange_in(FAILED_PAUSE)
            raise
        self._pause = 0.0
        if self._outbox or self._notes:
            self._exchange_in(self._coalesce)
        elif any(r.deleting and self._lifecycle.is_draining(r) for r in list(self._told.records.values())):
            self._exchange_in(max(POLL, self._coalesce))
        else:
            self._exchange_in(self._told.interval)

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
        told.pods[:] = list(self._told.records)

    def _forget_finished(self) -> None:
        for uid in [u for u, r in self._told.records.items() if r.finished and r.unknown]:
            self._drop(uid)

    def _drop(self, uid: str) -> None:
        self._told.records.pop(uid, None)
        self._outbox.forget(uid)
        self.jobs.cancel(("pod", self.name, uid))
        if self._told.objects and not any(references(r.pod) for r in self._told.records.values()):
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

    def _died(self) -> list[str]:
        """Pods of which a container died, from a runtime that can say so without blocking."""
        died: Callable[[], list[str]] | None = getattr(self._around.runtime, "died", None)
        try:
            return died() if died else []
        except ContainerError:
            return []

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
