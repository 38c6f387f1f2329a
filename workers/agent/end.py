"""Stopping containers and removing what is left of a pod."""

from __future__ import annotations

import logging
import threading

from app.objects.change import Object
from workers.agent.deciding.restarts import is_init
from workers.agent.deciding.step import PreStop, Stop, Target
from workers.agent.memory import Ending
from workers.agent.pod import ref
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import ContainerError, HasVolumes

log = logging.getLogger("beanpole.agent")


class Ender:
    """Carries out the ending actions."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def begin(self, record: Record, action: PreStop | Stop) -> None:
        """Note that these containers end from now on, and tell why."""
        now, memory = self._around.clock.now(), record.memory
        if action.of_pod and (memory.ending is None or action.period < memory.ending[1]):
            memory.ending = (now, action.period)
        for target in action.targets:
            ending = memory.endings.get(target.id)
            if ending is None:
                memory.endings[target.id] = Ending(now, action.period)
                self._tell(record, target)
            elif action.period < ending.period:
                ending.since, ending.period = now, action.period

    def stop(self, record: Record, stop: Stop) -> bool:
        """Stop them, side by side; returns when they are dead. False if the runtime failed to."""
        if len(stop.targets) == 1:
            return self._stop(record, stop.targets[0], stop.grace)
        done: list[bool] = []
        threads = [
            threading.Thread(target=lambda t=t: done.append(self._stop(record, t, stop.grace)), daemon=True)
            for t in stop.targets
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(done) == len(threads) and all(done)

    def _stop(self, record: Record, target: Target, grace: float) -> bool:
        done = False
        try:
            self._around.runtime.stop_container(ref(record.pod), target.id, grace)
            done = True
        except (ContainerError, OSError) as exc:
            name = record.pod["metadata"]["name"]
            log.warning("%s: container %s could not be stopped: %s", name, target.name, exc)
        finally:
            ending = record.memory.endings.get(target.id)
            if done:
                record.memory.endings.pop(target.id, None)
            elif ending is not None:
                ending.signalled = False
        return done

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

    def forget(self, record: Record) -> None:
        """Nothing of the pod is left in the runtime: give up its address and its folder."""
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
