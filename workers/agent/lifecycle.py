"""One step of one pod: look, decide, act, until there is nothing to do; then report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from workers.agent import clock_jumps
from workers.agent.admitting.gate import Gate
from workers.agent.admitting.refusals import REASON, lacks
from workers.agent.configuring.sources import NotYetKnown
from workers.agent.deciding.containers import Health
from workers.agent.deciding.decide import decide, is_over, past_deadline
from workers.agent.deciding.restarts import is_init
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
from workers.agent.end import Ender
from workers.agent.exchange.outbox import Outbox
from workers.agent.exposure import Exposure
from workers.agent.hooks import Hooks
from workers.agent.hosts_files import HostsFiles
from workers.agent.jobs import Jobs
from workers.agent.last_words import LastWords
from workers.agent.pod import full_name, newest, ref
from workers.agent.pressure.ending import of_rejected
from workers.agent.probing.probes import Probes
from workers.agent.record import Record
from workers.agent.resizing.resizing import Resizer
from workers.agent.start import Starter
from workers.agent.status.pod_status import pod_status
from workers.agent.surroundings import Surroundings
from workers.agent.volumes.mounts import show_mounts
from workers.agent.volumes.volumes import SetUpFailed
from workers.runtime.protocol import AnswersProbes, ContainerError, PodState
from workers.runtime.recovery import FreesSandboxes

log = logging.getLogger("beanpole.agent")

# More rounds than any pod needs in one step; what is left then is done in the next.
ROUNDS = 64
# How soon a pod is looked at again after the runtime failed. Seconds.
RETRY = 1.0
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
        self._around, self._probes, self._outbox, self._jobs = around, probes, outbox, jobs
        self._wake, self._report, self._applied, self._gate = wake, report, applied, gate
        self._resizer = resizer
        self._exposure = Exposure(around)
        self._starter = Starter(around, self._exposure)
        self._hooks = Hooks(around, self._aside)
        self._ender = Ender(around)
        self._hosts = HostsFiles(around)
        self._last_words = LastWords(around)
        self._real = not isinstance(around.runtime, AnswersProbes)

    def step(self, record: Record) -> None:
        """Do what there is to do for the pod now, and ask for the next step."""
        clock_jumps.follow(record.memory, self._around.clock)
        self._prepare(record)
        for _ in range(ROUNDS):
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
            self._resizer.note_done(record, state)
            health = self._probes.follow(record.pod, state)
            decision = self._decide(record, state, health)
            if decision.finished:
                self._finish(record)
                return
            # A simulated pod starts at once: its first report says so already.
            if not decision.actions or self._real:
                self._publish(record, state, health)
            if not decision.actions:
                self._let_go(record, state)
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
        memory, pod, now = record.memory, record.pod, self._around.clock.now()
        if not memory.started_at:
            memory.started_at = now
            self._gate.check(record)
            runtime = self._around.runtime
            wrong, without = lacks(pod, runtime.features, runtime.name)
            if wrong and memory.failed is None:
                memory.trouble = (REASON, "; ".join(wrong))
                self._around.notes.tell(pod, "Failed", "; ".join(wrong), warning=True)
            if without:
                message = f"without effect on this node: {', '.join(without)}"
                self._around.notes.tell(pod, "NotApplied", message, warning=True)
        if not record.deleting:
            self._resizer.look(record)
        elif memory.deleting_since is None:
            memory.deleting_since = now
            if self._around.images is not None:
                self._around.images.abandon(record.uid)
        tokens = self._around.tokens
        due = record.volumes_due or (tokens is not None and tokens.due(record.uid))
        if due and not record.deleting:
            self._refresh_volumes(record)

    def _decide(self, record: Record, state: PodState | None, health: dict[str, Health]) -> Decision:
        memory, pod, now = record.memory, record.pod, self._around.clock.now()
        if not record.deleting:
            if memory.trouble and memory.trouble[0] == REASON and state is None:
                return Decision()
            if memory.failed is None and past_deadline(pod, memory, now):
                memory.failed = DEADLINE
                self._around.notes.tell(pod, *DEADLINE)
            return self._resizer.decided(record, state, decide(pod, state, memory, health, now, Drain()))
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
            self._stop(record, action)
            return True
        if isinstance(action, ResizeContainer):
            self._resizer.carry_out(record, action)
            return True
        if isinstance(action, RemoveContainer):
            self._around.runtime.remove_container(ref(record.pod), action.id)
            return True
        if isinstance(action, RemovePod):
            if self._outlives_its_containers(record):
                self._publish(record, state, {})
            if not self._ender.remove(record):
                record.memory.removal_retry_at = self._around.clock.now() + RETRY
                return False
        return True

    def _stop(self, record: Record, action: Stop) -> None:
        self._ender.begin(record, action)
        for target in action.targets:
            # An earlier stop with more patience may be done just now.
            if (ending := record.memory.endings.get(target.id)) is not None:
                ending.signalled = True

        def run() -> None:
            done = self._ender.stop(record, action)
            self._wake(record.uid, 0.0 if done else RETRY)

        # A shorter grace period has its own job: the one with the longer is still waiting.
        key = ("stop", self._around.node, record.uid, action.targets[0].id, action.period)
        self._jobs.after(key, 0.0, run, "stop")

    def _let_go(self, record: Record, state: PodState | None) -> None:
        """A pod that has ended keeps its containers, for their logs, and gives up its address."""
        runtime = self._around.runtime
        if not isinstance(runtime, FreesSandboxes) or not is_over(record.pod, state):
            return
        try:
            runtime.free_sandbox(ref(record.pod))
        except ContainerError as exc:
            # The next look tries again.
            log.warning("%s: %s", record.pod["metadata"]["name"], exc)
            return
        if self._around.addresses:
            self._around.addresses.release(record.uid)
        self._wake(record.uid, 0.0)

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

    def _refresh_volumes(self, record: Record) -> None:
        record.volumes_due = False
        volumes = self._around.volumes(record.pod)
        try:
            state = self._around.runtime.pod(record.uid)
            if state is not None and volumes.is_live():
                volumes.refresh(self._around.sources(record.pod, state.address))
        except NotYetKnown:
            record.volumes_due = True
        except SetUpFailed as exc:
            # Until then they keep their content; whenever the pod is looked at it is tried again.
            record.volumes_due = True
            for message in exc.messages:
                self._around.notes.tell(record.pod, "FailedMount", message, warning=True)
        except ContainerError:
            # The runtime is away; its pods are looked at when it is back.
            record.volumes_due = True

    # -- reporting ----------------------------------------------------------------------------------

    def _publish(self, record: Record, state: PodState | None, health: dict[str, Health]) -> None:
        if record.unknown:
            return
        status = pod_status(
            record.pod,
            state,
            record.memory,
            health,
            self._around.clock.now(),
            node_ip=self._around.node_ip,
            runtime=self._around.runtime.name,
        )
        show_mounts(status, record.pod, self._around.runtime.features)
        if record.memory.rejected:
            status = of_rejected(status)
        if status == record.pod.get("status"):
            record.reported = status
            return
        record.reported = status
        self._outbox.status(record.pod, status)
        self._report()

    def _sleep(self, record: Record, state: PodState | None, decision: Decision) -> None:
        """Ask for the next step, and tell of what waits in back-off."""
        for name in decision.backing_off:
            self._tell_back_off(record, state, name)
        if self._around.notes:
            self._report()
        delay = RESYNC
        if decision.wake_at is not None:
            delay = min(delay, max(0.0, decision.wake_at - self._around.clock.now()))
        self._wake(record.uid, delay)

    def _tell_back_off(self, record: Record, state: PodState | None, name: str) -> None:
        pod = record.pod
        found = newest(state, name)
        key = ("BackOff", name, str(found.attempt if found else 0))
        if key not in record.memory.noted:
            record.memory.noted = {other for other in record.memory.noted if other[1] != name} | {key}
            message = f"Back-off restarting failed container {name} in pod {full_name(pod)}"
            init = is_init(pod, name)
            self._around.notes.tell(pod, "BackOff", message, warning=True, container=name, init=init)

    def _finish(self, record: Record) -> None:
        """Nothing is left of the pod in the runtime."""
        self._probes.forget(record.uid)
        if record.finished:
            return
        self._ender.forget(record)
        self._exposure.end(record)
        # Only now: what failed above is done again in the next step.
        record.finished = True
        self._resizer.room_made()
        if not record.unknown:
            self._outbox.removed(record.pod)
        self._report()
