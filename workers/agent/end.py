"""Stopping containers, giving up what a pod that has ended needs no longer, and removing what is left of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from app.base.errors import BeanpoleError
from app.objects.change import Object
from workers.agent.deciding.decide import is_over
from workers.agent.deciding.restarts import is_init
from workers.agent.deciding.step import PreStop, Stop, Target
from workers.agent.exposure import Exposure
from workers.agent.jobs import Jobs
from workers.agent.memory import Ending
from workers.agent.pod import is_static, ref
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import ContainerError, HasVolumes, PodState
from workers.runtime.recovery import FreesSandboxes

log = logging.getLogger("beanpole.agent")

# How soon a pod is looked at again of which a container could not be stopped. Seconds.
RETRY = 1.0


class Ender:
    """Carries out the ending actions.

    Args:
        wake: `wake(uid, delay)` looks at a pod again.
    """

    def __init__(
        self, around: Surroundings, exposure: Exposure, jobs: Jobs, wake: Callable[[str, float], None]
    ) -> None:
        self._around, self._exposure, self._jobs, self._wake = around, exposure, jobs, wake

    def begin(self, record: Record, action: PreStop | Stop) -> list[Ending]:
        """Note that these containers end from now on, and tell why."""
        now, memory = self._around.clock.now(), record.memory
        if action.of_pod and (memory.ending is None or action.period < memory.ending[1]):
            memory.ending = (now, action.period)
        begun = []
        for target in action.targets:
            ending = memory.endings.get(target.id)
            if ending is None:
                ending = memory.endings[target.id] = Ending(now, action.period)
                self._tell(record, target)
            elif action.period < ending.period:
                ending.since, ending.period = now, action.period
            begun.append(ending)
        return begun

    def stop(self, record: Record, action: Stop) -> None:
        """Stop them, each beside everything else. When one is dead, the pod is looked at again."""
        for target, ending in zip(action.targets, self.begin(record, action), strict=True):
            ending.signalled = True
            # A shorter grace period has its own job: the one with the longer is still waiting.
            key = ("stop", self._around.node, record.uid, target.id, action.period)
            self._jobs.after(key, 0.0, self._stopping(record, target, ending, action.grace), "stop")

    def _stopping(self, record: Record, target: Target, ending: Ending, grace: float) -> Callable[[], None]:
        def run() -> None:
            try:
                self._around.runtime.stop_container(ref(record.pod), target.id, grace)
                ending.dead_at = self._around.clock.now()
            except (ContainerError, OSError) as exc:
                name = record.pod["metadata"]["name"]
                log.warning("%s: container %s could not be stopped: %s", name, target.name, exc)
            finally:
                # What failed is tried again.
                ending.signalled = ending.dead_at is not None
                self._wake(record.uid, 0.0 if ending.signalled else RETRY)

        return run

    def _tell(self, record: Record, target: Target) -> None:
        if target.why and not record.unknown:
            init = is_init(record.pod, target.name)
            self._around.notes.tell(record.pod, "Killing", target.why, container=target.name, init=init)

    def remove(self, record: Record) -> bool:
        """Remove all that is left of the pod. False if the runtime failed to."""
        try:
            self._around.runtime.remove_pod(ref(record.pod))
        except ContainerError as exc:
            log.warning("%s: the pod could not be removed: %s", record.pod["metadata"]["name"], exc)
            return False
        return True

    def let_go(self, record: Record, state: PodState | None) -> None:
        """A pod that has ended keeps its containers, for their logs, and gives up its address, ports and devices."""
        if not is_over(record.pod, state):
            return
        runtime, frees = self._around.runtime, False
        try:
            self._exposure.end(record)
            if state is not None and state.ready and isinstance(runtime, FreesSandboxes):
                runtime.free_sandbox(ref(record.pod))
                frees = True
        except BeanpoleError as exc:
            # The next look tries again.
            log.warning("%s: %s", record.pod["metadata"]["name"], exc)
            return
        # A static pod may yet be begun again, in the sandbox that it has.
        if self._around.addresses and (frees or not is_static(record.ordered)):
            self._around.addresses.release(record.uid)
        self._around.gpus.release(record.uid)
        if frees:
            self._wake(record.uid, 0.0)

    def forget(self, record: Record) -> None:
        """Nothing of the pod is left in the runtime: give up what it had of the node, and its folder."""
        self._exposure.end(record)
        if self._around.addresses:
            self._around.addresses.release(record.uid)
        self._around.gpus.release(record.uid)
        if self._around.tokens:
            self._around.tokens.forget(record.uid)
        if self._has_folder(record):
            self._around.remove_folder(record.uid)
            self._forget_shares(record.pod)

    def _has_folder(self, record: Record) -> bool:
        if "/" in record.uid:
            return False
        return record.unknown or self._around.folder(record.uid).is_dir()

    def _forget_shares(self, pod: Object) -> None:
        """Let the engine forget the NFS shares of the pod's claims, unless another pod has them mounted."""
        runtime = self._around.runtime
        if not isinstance(runtime, HasVolumes):
            return
        for name in self._around.claims.shares(pod):
            try:
                runtime.remove_volume(name)
            except ContainerError as exc:
                log.debug("%s: %s", name, exc)
