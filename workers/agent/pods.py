"""The pods of a node, as its agent sees to them: one job for each, and what they draw on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable

from app.objects.change import Object
from app.objects.persistent import CLAIMS, VOLUMES
from workers.agent.admitting.admission import Room
from workers.agent.admitting.gate import Gate
from workers.agent.exchange.conversation import Conversation, Told
from workers.agent.exchange.outbox import Outbox
from workers.agent.images import images
from workers.agent.jobs import Jobs
from workers.agent.lifecycle import Lifecycle
from workers.agent.pod import is_static
from workers.agent.pressure.disk_usage import DiskWatch
from workers.agent.probing import Prober
from workers.agent.probing.probes import Probes, Remark
from workers.agent.record import Record, orphan
from workers.agent.resizing.resizing import Resizer
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import PodState

log = logging.getLogger("beanpole.agent")

# After a step failed in a way that nobody foresaw. Seconds.
FAILED_PAUSE = 5.0


class Pods:
    """See the module.

    Args:
        prober: how probes are tried. report: there is something to say.
        applied: the revision of the service rules that all Ready nodes have applied. room: who may run on the node.

    Attributes:
        adopted: what runs on the node was matched with what should. early: static pods may run before that.
        dropped: called when nothing is left of a pod that is not in the API either.
    """

    def __init__(
        self,
        around: Surroundings,
        told: Conversation,
        outbox: Outbox,
        jobs: Jobs,
        prober: Prober,
        report: Callable[[], None],
        applied: Callable[[], int],
        room: Callable[[], Room | None],
    ) -> None:
        self._around, self._told, self._outbox, self._jobs = around, told, outbox, jobs
        self._report = report
        self.adopted = self.early = False
        self._left = False
        self.dropped: Callable[[str], None] = lambda uid: None
        self.probes = Probes(
            around.node, jobs, around.clock, prober, self._remarked, self.wake, around.runtime.name
        )
        images.provide(around, jobs, self.wake, report)
        self._gate = Gate(around, lambda: self.records, room)
        self.disk = DiskWatch(around, jobs, lambda: self.records, self.wake)
        resizer = Resizer(around, lambda: self.records, self.wake, room)
        self.lifecycle = Lifecycle(
            around, self.probes, outbox, jobs, self.wake, report, applied, self._gate, resizer
        )

    @property
    def records(self) -> list[Record]:
        """All of them now."""
        return list(self._told.records.values())

    def wake(self, uid: str, delay: float = 0.0) -> None:
        """Look at a pod in `delay` seconds at the latest."""
        self._jobs.after(("pod", self._around.node, uid), delay, lambda: self.step(uid))

    def wake_all(self) -> None:
        """Look at every pod: the runtime may have forgotten any."""
        for record in self.records:
            self.wake(record.uid)

    def step(self, uid: str) -> None:
        """Do what there is to do for one pod now."""
        record = self._told.records.get(uid)
        if record is None or not (self.adopted or (self.early and is_static(record.ordered))):
            return
        if record.finished:
            if _is_gone(record):
                self._drop(uid)
            return
        if record.again:
            record.begin_anew()
        try:
            self.lifecycle.step(record)
        except Exception:
            # Whatever it was, the pod is not given up.
            self.wake(uid, FAILED_PAUSE)
            raise
        if _is_gone(record):
            self._drop(uid)

    def adopt_early(self, running: Iterable[PodState]) -> None:
        """Begin with static pods though the API has not said yet what else should run: no other pod is touched."""
        self._take_over(list(running))
        self.early = True
        for record in self.records:
            if is_static(record.ordered):
                self.wake(record.uid)

    def adopt(self, running: Iterable[PodState]) -> None:
        """Match what runs with what should: the first time that both are known."""
        running = list(running)
        self._take_over(running)
        for state in running:
            if state.pod.uid not in self._told.records:
                log.info("%s: ending a pod the API does not have: %s", self._around.node, state.pod)
                self._told.records[state.pod.uid] = orphan(state.pod, self._around.clock.now())
        for uid in self._around.folders():
            if uid not in self._told.records:
                self._around.remove_folder(uid)
        if self._around.image_keeper is not None:
            self._around.image_keeper.begin()
        self.disk.begin()
        self.adopted = True

    def told(self, told: Told) -> None:
        """An exchange brought news: look at the pods that they concern. With the node's lock held."""
        self._forget_objects()
        if told.objects:
            for uid, record in list(self._told.records.items()):
                if any(f"{r} {k}" in told.objects for r, k in self._drawn_on(record)):
                    record.volumes_due = True
                    for mine in record.memory.containers.values():
                        if mine.failures == 0:
                            mine.retry_at = 0.0
                    told.pods.append(uid)
        for uid in dict.fromkeys(told.pods):
            self.wake(uid)

    def mounted(self) -> list[list[str]]:
        """The objects whose changes matter to pods here, as an exchange asks for them."""
        pairs = {pair for record in self.records for pair in self._drawn_on(record)}
        return [list(pair) for pair in sorted(pairs)]

    def is_draining(self) -> bool:
        """Whether a pod waits for other nodes to leave it out."""
        return any(r.deleting and self.lifecycle.is_draining(r) for r in self.records)

    def forget_finished(self) -> None:
        """Drop the pods of which nothing is left, here and in the API."""
        for uid in [r.uid for r in self.records if _is_gone(r)]:
            self._drop(uid)

    def find(self, namespace: str, name: str) -> Record | None:
        """The pod of that name, if the API knows of it."""
        for record in self.records:
            meta = record.pod["metadata"]
            if meta["name"] == name and meta.get("namespace") == namespace and not record.unknown:
                return record
        return None

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

    def _take_over(self, running: Collection[PodState]) -> None:
        """What pods have of the node already, an agent before this one gave them."""
        self._around.gpus.adopt(running)
        for state in running:
            if self._around.addresses and state.address:
                self._around.addresses.adopt(state.pod.uid, state.address)

    def _drop(self, uid: str) -> None:
        self._told.records.pop(uid, None)
        self._outbox.forget(uid)
        self.dropped(uid)
        self._jobs.cancel(("pod", self._around.node, uid))
        self._left = True

    def _forget_objects(self) -> None:
        """Keep nothing of what only pods drew on that have left. Not while an answer is being folded, which may bring the
        objects of a pod before the pod."""
        if not self._left:
            return
        self._left = False
        wanted = {f"{r} {k}" for record in self.records for r, k in self._drawn_on(record)}
        for key in [key for key in self._told.objects if key not in wanted]:
            del self._told.objects[key]

    def _remarked(self, pod: Object, remark: Remark) -> None:
        """A probe gave something to tell."""
        new = self._around.notes.tell(
            pod, remark.reason, remark.message, warning=True, container=remark.container, init=remark.init
        )
        if new:
            self._report()


def _is_gone(record: Record) -> bool:
    """Whether nothing is left of the pod, here or where it came from."""
    return record.finished and (record.unknown or is_static(record.ordered))
