"""Stopping containers and removing what is left of a pod."""

from __future__ import annotations

import logging
import threading

from app.objects.change import Object
from workers.agent import volumes
from workers.agent.hooks import hook_of, run_hook
from workers.agent.pod import find, ref
from workers.agent.record import Record
from workers.agent.step import Stop, Target
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import ContainerError, HasVolumes

log = logging.getLogger("beanpole.agent")

# What a container gets after a preStop hook that used up the whole grace period, as in Kubernetes. Seconds.
AFTER_HOOK = 2.0


class Ender:
    """Carries out the ending actions."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def begin(self, record: Record, stop: Stop) -> None:
        """Note that these containers are being stopped, and tell why."""
        now = self._around.clock.now()
        for target in stop.targets:
            record.memory.stopping[target.id] = now + stop.grace
            if target.why and not record.unknown:
                self._around.notes.tell(record.pod, "Killing", target.why, container=target.name)

    def stop(self, record: Record, stop: Stop, address: str) -> bool:
        """Stop them, side by side; returns when they are dead. False if the runtime failed to."""
        if len(stop.targets) == 1:
            return self._stop(record, stop.targets[0], stop.grace, address)
        done: list[bool] = []
        threads = [
            threading.Thread(
                target=lambda t=t: done.append(self._stop(record, t, stop.grace, address)), daemon=True
            )
            for t in stop.targets
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(done) == len(threads) and all(done)

    def _stop(self, record: Record, target: Target, grace: float, address: str) -> bool:
        around, pod = self._around, record.pod
        try:
            left = grace
            container = find(pod, target.name)
            hook = hook_of(container, "preStop") if container else None
            if hook and container and grace > 0:
                left = self._pre_stop(pod, container, target, grace, address, hook)
            around.runtime.stop_container(ref(pod), target.id, left)
            return True
        except ContainerError as exc:
            log.warning(
                "%s: container %s could not be stopped: %s", pod["metadata"]["name"], target.name, exc
            )
            return False
        finally:
            record.memory.stopping.pop(target.id, None)

    def _pre_stop(
        self, pod: Object, container: Object, target: Target, grace: float, address: str, hook: Object
    ) -> float:
        """Run the hook; the seconds that are left of the grace period."""
        around = self._around
        began = around.clock.monotonic()
        wrong = run_hook(around.runtime, around.clock, pod, container, target.id, address, hook, grace)
        if wrong:
            message = f"PreStopHook failed: {wrong}"
            around.notes.tell(pod, "FailedPreStopHook", message, warning=True, container=target.name)
        return max(grace - (around.clock.monotonic() - began), AFTER_HOOK)

    def kill(self, record: Record) -> None:
        """Whoever deletes the pod has shortened its grace period to nothing while it is being stopped."""
        for container_id in list(record.memory.stopping):
            try:
                self._around.runtime.stop_container(ref(record.pod), container_id, 0.0)
            except ContainerError as exc:
                log.warning("%s: %s", record.pod["metadata"]["name"], exc)

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
        if self._around.tokens:
            self._around.tokens.forget(record.uid)
        if (record.pod["spec"].get("volumes") or record.unknown) and "/" not in record.uid:
            volumes.remove(self._around.folder(record.uid))
            self._forget_shares(record.pod)

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
