"""One step of one pod: look, decide, act, until there is nothing to do; then report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from workers.agent import clock_jumps
from workers.agent.admitting.gate import Gate
from workers.agent.admitting.refusals import REASON, lacks
from workers.agent.deciding.containers import Health
from workers.agent.deciding.decide import decide, past_deadline
from workers.agent.deciding.step import (
    Action,
    Decision,
    PostStart,
    PreStop,
    RemoveContainer,
    RemovePod,
    ResizeContainer,
    StartContainer,
    StartSandbox,
    Stop,
)
from workers.agent.deciding.stop import EXCLUDED_WITHIN, Drain, wants_connections
from workers.agent.end import RETRY, Ender
from workers.agent.exchange.outbox import Outbox
from workers.agent.exposure import Exposure
from workers.agent.hooks import Hooks
from workers.agent.hosts_files import HostsFiles
from workers.agent.jobs import Jobs
from workers.agent.last_words import LastWords
from workers.agent.memory import SETTLES
from workers.agent.pod import ref
from workers.agent.probing.probes import Probes
from workers.agent.record import Record
from workers.agent.reporting import Reporter
from workers.agent.resizing.resizing import Resizer
from workers.agent.start import Starter
from workers.agent.surroundings import Surroundings
from workers.agent.volume_contents import VolumeContents
from workers.runtime.protocol import AnswersProbes, ContainerError, PodState

log = logging.getLogger("beanpole.agent")

# More rounds than any pod needs in one step; what is left then is done in the next.
ROUNDS = 64
# Every pod is looked at as often as this even if nothing is heard of it. Seconds.
RESYNC = 60.0
DEADLINE = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


class Lifecycle:
    """Carries a node's pods through their lives.

    Args:
        wake: `wake(uid, delay)` asks for a step. report: something is in the outbox.
        applied: the revision of the service rules that all Ready nodes have applied, this one included.
        gate: lets pods onto the node. resizer: gives them more or less of it.
    """

    def __init__(
        self,
        around: Surroundings,
        probes: Probes,
        outbox: Outbox,
        jobs: Jobs,
        wake: Callable[[str, float], None],
        report: Callable[[], None],
        applied: Callable[[], int],
        gate: Gate,
        resizer: Resizer,
    ) -> None:
        self._around, self._probes, self._jobs = around, probes, jobs
        self._wake, self._applied, self._gate = wake, applied, gate
        self._resizer = resizer
        self._reporter = Reporter(around, outbox, report)
        self._exposure = Exposure(around)
        self._starter = Starter(around, self._exposure)
        self._hooks = Hooks(around, self._aside)
        self._ender = Ender(around, self._exposure, jobs, wake)
        self._hosts = HostsFiles(around)
        self._contents = VolumeContents(around)
        self._last_words = LastWords(around)
        self._real = not isinstance(around.runtime, AnswersProbes)

    def step(self, record: Record) -> None:
        """Do what there is to do for the pod now, and ask for the next step."""
        clock_jumps.follow(record.memory, self._around.clock)
        self._prepare(record)
        for _ in range(ROUNDS):
            seen_at = self._around.clock.now()
            try:
                state = self._resizer.seen(record, self._around.runtime.pod(record.uid))
            except ContainerError as exc:
                log.warning("%s: %s", record.pod["metadata"]["name"], exc)
                self._wake(record.uid, RETRY)
                return
            self._hosts.refresh(record, state)
            self._exposure.follow(record, state)
            self._last_words.gather(record.pod, state, record.memory)
            record.memory.follow(state)
            record.memory.doubt_ends(seen_at)
            self._resizer.note_done(record, state)
            health = self._probes.follow(record.pod, state)
            decision = self._decide(record, state, health)
            if decision.finished:
                self._finish(record)
                return
            # A simulated pod starts at once: its first report says so already.
            if not decision.actions or self._real:
                self._reporter.status(record, state, health)
            if not decision.actions:
                self._ender.let_go(record, state)
                self._sleep(record, state, decision)
                return
            try:
                deleting = record.deleting
                for action in decision.actions:
                    # What was decided before the pod was marked for deletion may start nothing after it.
                    if record.deleting != deleting or not self._carry_out(record, state, action):
                        break
            except ContainerError as exc:
                log.warning("%s: %s", record.pod["metadata"]["name"], exc)
                self._wake(record.uid, RETRY)
                return
        self._wake(record.uid, 0.0)

    def services_changed(self, records: Iterable[Record]) -> None:
        """Look at the pods in which services are named otherwise than they should be now."""
        for uid in self._hosts.outdated(records):
            self._wake(uid, 0.0)

    def is_draining(self, record: Record) -> bool:
        """Whether the pod waits for other nodes to leave it out, which it does for so long and no longer."""
        if not record.deleting or record.finished or not record.served or self._drain(record).excluded:
            return False
        since = record.memory.deleting_since
        return since is None or self._around.clock.now() < since + EXCLUDED_WITHIN

    # -- deciding -----------------------------------------------------------------------------------

    def _prepare(self, record: Record) -> None:
        """Note what a first look at the pod, or at its deletion, has to note."""
        memory, now = record.memory, self._around.clock.now()
        if not memory.started_at:
            self._admit(record)
            # Only now: a pod that could not be looked over is not begun.
            memory.started_at = now
        if not record.deleting:
            self._resizer.look(record)
            self._contents.refresh(record)
        elif memory.deleting_since is None:
            memory.deleting_since = now
            if self._around.images is not None:
                self._around.images.abandon(record.uid)

    def _admit(self, record: Record) -> None:
        """Note why the pod can't run here, or what of it has no effect."""
        memory, pod, runtime = record.memory, record.pod, self._around.runtime
        self._gate.check(record)
        wrong, without = lacks(pod, runtime.features, runtime.name)
        if wrong and memory.failed is None:
            memory.trouble = (REASON, "; ".join(wrong))
            self._around.notes.tell(pod, "Failed", "; ".join(wrong), warning=True)
        if without:
            message = f"without effect on this node: {', '.join(without)}"
            self._around.notes.tell(pod, "NotApplied", message, warning=True)

    def _decide(self, record: Record, state: PodState | None, health: dict[str, Health]) -> Decision:
        memory, pod, now = record.memory, record.pod, self._around.clock.now()
        if not record.deleting:
            if memory.failed is None and past_deadline(pod, memory, now):
                memory.failed = DEADLINE
                self._around.notes.tell(pod, *DEADLINE)
            decision = decide(pod, state, memory, health, now, Drain())
            if memory.trouble and memory.trouble[0] == REASON and state is None:
                # Nothing of it is begun; its time runs out all the same.
                return Decision(wake_at=decision.wake_at)
            return self._resizer.decided(record, state, decision)
        drain = self._drain(record)
        if state is not None and wants_connections(pod, memory, now, drain):
            try:
                open_now = self._around.runtime.connections(ref(pod))
            except ContainerError:
                open_now = 0
            drain = Drain(drain.served, drain.excluded, open_now)
        return decide(pod, state, memory, health, now, drain)

    def _drain(self, record: Record) -> Drain:
        at = record.excluded_at
        return Drain(record.served, not record.served or (at is not None and self._applied() >= at), 0)

    # -- acting -------------------------------------------------------------------------------------

    def _carry_out(self, record: Record, state: PodState | None, action: Action) -> bool:
        """Do it. False: look again before doing more."""
        if isinstance(action, StartSandbox):
            return self._starter.sandbox(record)
        if isinstance(action, StartContainer):
            if state is not None:
                self._starter.container(record, state, action)
            return True
        if isinstance(action, PostStart):
            self._hooks.post_start(record, action, state.address if state else "")
            return True
        if isinstance(action, PreStop):
            self._ender.begin(record, action)
            self._hooks.pre_stop(record, action, state.address if state else "")
            return True
        if isinstance(action, Stop):
            self._ender.stop(record, action)
            return True
        if isinstance(action, ResizeContainer):
            self._resizer.carry_out(record, action)
            return True
        if isinstance(action, RemoveContainer):
            self._around.runtime.remove_container(ref(record.pod), action.id)
            return True
        if isinstance(action, RemovePod):
            if self._outlives_its_containers(record):
                self._reporter.status(record, state, {})
            if not self._ender.remove(record):
                record.memory.removal_retry_at = self._around.clock.now() + RETRY
                return False
        return True

    def _aside(self, record: Record, run: Callable[[], None]) -> None:
        def whole() -> None:
            try:
                run()
            finally:
                self._wake(record.uid, 0.0)

        self._jobs.beside(whole)

    @staticmethod
    def _outlives_its_containers(record: Record) -> bool:
        """Whether somebody waits to see how the containers ended before the object goes."""
        return bool(record.pod["metadata"].get("finalizers")) and not record.unknown

    # -- resting ------------------------------------------------------------------------------------

    def _sleep(self, record: Record, state: PodState | None, decision: Decision) -> None:
        """Ask for the next step, and tell of what waits in back-off."""
        self._reporter.rest(record, state, decision.backing_off)
        delay = RESYNC
        if decision.wake_at is not None:
            delay = min(delay, max(0.0, decision.wake_at - self._around.clock.now()))
        if record.memory.awaits_ends:
            delay = min(delay, SETTLES)
        self._wake(record.uid, delay)

    def _finish(self, record: Record) -> None:
        """Nothing is left of the pod in the runtime."""
        self._probes.forget(record.uid)
        if record.finished:
            return
        self._ender.forget(record)
        # Only now: what failed above is done again in the next step.
        record.finished = True
        self._resizer.room_made()
        self._reporter.gone(record)
