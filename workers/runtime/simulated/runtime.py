"""The Runtime of a simulated node."""

from __future__ import annotations

import errno
import heapq
import ipaddress
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.base.clock import Clock
from workers.runtime import images
from workers.runtime.features import Feature
from workers.runtime.interactive import Interactive
from workers.runtime.protocol import (
    ContainerError,
    ContainerSpec,
    ContainerState,
    ContainerUsage,
    LogOptions,
    NodeInfo,
    PodRef,
    PodState,
    SandboxSpec,
    State,
    Usage,
)
from workers.runtime.resources import Limits
from workers.runtime.simulated.deaths import LOOK, Deaths
from workers.runtime.simulated.echo import Echo
from workers.runtime.simulated.log import chosen
from workers.runtime.simulated.machine import Container, Machine, Pod, forget_old
from workers.runtime.simulated.told import Told
from workers.runtime.simulated.usage import used

KILLED = 137
TERMINATED = 143


class SimulatedRuntime:
    """The runtime of one simulated node. Nothing in it blocks but `events` and `start-delay`."""

    name = "simulated"
    # Whatever is asked for, nothing would be seen of it.
    features = frozenset(Feature)

    def __init__(self, clock: Clock, node: str = "", machine: Machine | None = None) -> None:
        self.machine = machine or Machine()
        self._clock = clock
        self._node = node
        self._deaths = Deaths(self.machine, clock, node)
        self._lock = self._changed = self._deaths.changed

    # --- the node

    def info(self) -> NodeInfo:
        self._deaths.check()
        return self.machine.info(self._node)

    def levels(self) -> dict[str, tuple[int, int]]:
        """See `workers.agent.pressure.signals.HasLevels`."""
        return dict(self.machine.levels)

    def prepare(self, pod_cidr: str) -> str:
        self._deaths.check()
        return str(ipaddress.ip_network(pod_cidr)[1])

    def ensure_image(self, image: str, policy: str) -> str:
        self._deaths.check()
        if image in self.machine.present and policy != "Always":
            return images.PRESENT
        registry = images.parse(image).registry
        if policy == "Never" and image not in self.machine.present:
            raise ContainerError(
                "ErrImageNeverPull", f'image "{image}" is not present with pull policy of Never'
            )
        if registry.endswith(".invalid"):
            raise ContainerError("ErrImagePull", f'failed to pull image "{image}": no such host {registry}')
        self.machine.present.add(image)
        return images.PULLED

    # --- what there is

    def pods(self) -> list[PodState]:
        with self._lock:
            self._deaths.settle()
            return [self._show(p) for p in self.machine.pods.values()]

    def pod(self, uid: str) -> PodState | None:
        with self._lock:
            self._deaths.settle()
            found = self.machine.pods.get(uid)
            return self._show(found) if found else None

    def _show(self, pod: Pod) -> PodState:
        states = tuple([c.state for c in pod.containers])
        return PodState(pod.spec.pod, pod.spec.address, pod.alive, states, pod.since)

    # --- starting

    def start_sandbox(self, spec: SandboxSpec) -> None:
        with self._lock:
            self._deaths.settle()
            pod = self.machine.pods.get(spec.pod.uid)
            if pod is None:
                self.machine.pods[spec.pod.uid] = Pod(spec, since=self._clock.now())
            elif not pod.alive:
                pod.spec, pod.alive, pod.since = spec, True, self._clock.now()

    def refresh(self, pod: PodRef, hosts: str) -> None:
        with self._lock:
            self._deaths.check()
            found = self.machine.pods.get(pod.uid)
            if found is not None:
                found.spec = replace(found.spec, hosts=hosts)

    def start_container(self, pod: PodRef, spec: ContainerSpec) -> ContainerState:
        with self._lock:
            self._deaths.settle()
            sandbox = self._sandbox(pod)
            for container in sandbox.containers:
                if container.state.name == spec.name and container.state.attempt == spec.attempt:
                    return container.state
            told = Told(sandbox.spec.annotations, spec.name)
        delay = told.number("start-delay", 0.0)
        for resource in ("cpu", "memory"):
            told.quantity(resource)
        if delay:
            self._clock.sleep(delay)
        if told.flag("fail-image"):
            raise ContainerError("ErrImagePull", f'failed to pull image "{spec.image}": not found')
        if message := told.text("fail-start"):
            raise ContainerError("RunContainerError", message)
        with self._lock:
            sandbox = self._sandbox(pod)
            container = self._new(pod, spec, told)
            sandbox.containers = [*forget_old(sandbox.containers, spec), container]
            if container.crash_at is not None:
                heapq.heappush(self.machine.crashes, (container.crash_at, pod.uid, container.state.id))
                self._changed.notify_all()
            return container.state

    def _new(self, pod: PodRef, spec: ContainerSpec, told: Told) -> Container:
        now = self._clock.now()
        crash_at = None
        if told.text("crash-after") and spec.attempt < told.number("crash-count", float("inf")):
            crash_at = now + told.number("crash-after", 0.0)
        state = ContainerState(
            name=spec.name,
            attempt=spec.attempt,
            state=State.RUNNING,
            id=f"{pod.uid}_{spec.name}_{spec.attempt}",
            image=spec.image,
            image_id=f"simulated:{spec.image}",
            started_at=now,
            limits=spec.limits,
            gpus=spec.resources.gpus,
        )
        ready_at = float("inf") if told.flag("never-ready") else now + told.number("ready-after", 0.0)
        return Container(state, ready_at, crash_at, int(told.number("exit-code", 1)), spec)

    def resize_container(self, pod: PodRef, container_id: str, limits: Limits) -> None:
        """See `Resizes`."""
        found = self._find(pod, container_id)
        if found is None or found.state.state is not State.RUNNING:
            raise ContainerError("ResizeError", f"container {container_id} is not running")
        with self._lock:
            found.state = replace(found.state, limits=limits)

    def memory_in_use(self, pod: PodRef, container_id: str) -> int:
        """See `Resizes`."""
        found = self._find(pod, container_id)
        told = Told(self.machine.pods[pod.uid].spec.annotations, found.state.name) if found else None
        return (told.quantity("memory") or 0) // 1000 if told else 0

    # --- ending

    def stop_container(self, pod: PodRef, container_id: str, grace: float) -> None:
        found = self._find(pod, container_id)
        if found is None or found.state.state is State.EXITED:
            return
        sandbox = self.machine.pods[pod.uid]
        stubborn = Told(sandbox.spec.annotations, found.state.name).flag("ignore-term")
        if stubborn and grace > 0:
            self._clock.sleep(grace)
        with self._lock:
            self._deaths.end(pod.uid, found, KILLED if stubborn or grace <= 0 else TERMINATED)

    def kill(self, pod_uid: str, container: str, exit_code: int = KILLED) -> None:
        """The running container of that name ends by itself, as if someone had killed its process.

        Raises:
            KeyError: none of that name runs.
        """
        with self._lock:
            self._deaths.settle()
            for found in self.machine.pods[pod_uid].containers:
                if found.state.name == container and found.state.state is State.RUNNING:
                    self._deaths.end(pod_uid, found, exit_code)
                    return
        raise KeyError(container)

    def kill_sandbox(self, pod_uid: str) -> None:
        """The pod's sandbox dies, and every container in it."""
        with self._lock:
            pod = self.machine.pods[pod_uid]
            pod.alive = False
            for container in pod.containers:
                if container.state.state is State.RUNNING:
                    self._deaths.end(pod_uid, container, KILLED)

    def remove_container(self, pod: PodRef, container_id: str) -> None:
        with self._lock:
            self._deaths.check()
            sandbox = self.machine.pods.get(pod.uid)
            if sandbox:
                sandbox.containers = [c for c in sandbox.containers if c.state.id != container_id]

    def remove_pod(self, pod: PodRef) -> None:
        with self._lock:
            self._deaths.check()
            self.machine.pods.pop(pod.uid, None)

    # --- looking inside

    def probe(self, pod: PodRef, container: str) -> bool:
        """See `protocol.AnswersProbes`."""
        with self._lock:
            self._deaths.settle()
            found = self.machine.pods.get(pod.uid)
            if found is None or not found.alive:
                return False
            now = self._clock.now()
            return any(
                c.state.name == container and c.state.state is State.RUNNING and now >= c.ready_at
                for c in found.containers
            )

    def exec(
        self, pod: PodRef, container_id: str, command: Sequence[str], timeout: float
    ) -> tuple[int, bytes]:
        found = self._find(pod, container_id)
        if found is None or found.state.state is not State.RUNNING:
            raise ContainerError("ExecError", f"container {container_id} is not running")
        told = Told(self.machine.pods[pod.uid].spec.annotations, found.state.name)
        return int(told.number("exec-exit-code", 0)), b""

    def command(
        self, pod: PodRef, container_id: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> Interactive:
        code, _ = self.exec(pod, container_id, command, 0.0)
        found = self._find(pod, container_id)
        told = Told(self.machine.pods[pod.uid].spec.annotations, found.state.name if found else "")
        return Echo(told.text("exec-output").replace("\\n", "\n").encode(), code, stdin=stdin)

    def attach(self, pod: PodRef, container_id: str, *, stdin: bool, tty: bool) -> Interactive:
        found = self._find(pod, container_id)
        if found is None or found.state.state is not State.RUNNING:
            raise ContainerError("AttachError", f"container {container_id} is not running")
        return Echo(b"", None, stdin=True)

    def connect(self, pod: PodRef, port: int, timeout: float) -> socket.socket:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "nothing listens in a simulated pod")

    def logs(self, pod: PodRef, container: str, options: LogOptions) -> Iterator[bytes]:
        with self._lock:
            self._deaths.settle()
            sandbox = self.machine.pods.get(pod.uid)
            named = [c for c in (sandbox.containers if sandbox else ()) if c.state.name == container]
            wanted = [c for c in named if options.attempt in (None, c.state.attempt)]
            if sandbox is None or not wanted:
                raise KeyError(container)
            text = Told(sandbox.spec.annotations, container).text("log").replace("\\n", "\n")
        return self._print(text, wanted[-1], options)

    def _print(self, text: str, container: Container, options: LogOptions) -> Iterator[bytes]:
        data = chosen(text, container.state.started_at, options)
        if data:
            yield data
        if options.follow:
            with self._changed:
                while self._runs(container) and not self._deaths.closed:
                    self._changed.wait(LOOK)

    def connections(self, pod: PodRef) -> int:
        return 0

    def usage(self) -> Usage:
        found: list[ContainerUsage] = []
        with self._lock:
            self._deaths.settle()
            now = self._clock.now()
            for pod in self.machine.pods.values():
                # Of thousands of pods that nobody told anything, nothing is made up.
                if pod.spec.annotations:
                    found += used(pod, now)
        return Usage(sum(each.cpu for each in found), sum(each.memory for each in found), tuple(found))

    # --- deaths

    def died(self) -> list[str]:
        """The uids of pods of which a container died since this (or `events`) last said so. Never
        blocks: for whoever runs many nodes in one thread."""
        return self._deaths.died()

    def events(self) -> Iterator[str]:
        return self._deaths.events()

    def close(self) -> None:
        self._deaths.close()

    def reach(self, reachable: bool) -> None:
        """Take the simulated engine down, or bring it back: meanwhile calls fail and `events` ends."""
        self._deaths.reach(reachable)

    # --- within

    def _runs(self, container: Container) -> bool:
        self._deaths.settle()
        return container.state.state is State.RUNNING

    def _find(self, pod: PodRef, container_id: str) -> Container | None:
        with self._lock:
            self._deaths.settle()
            found = self.machine.pods.get(pod.uid)
            return next((c for c in (found.containers if found else ()) if c.state.id == container_id), None)

    def _sandbox(self, pod: PodRef) -> Pod:
        found = self.machine.pods.get(pod.uid)
        if found is None or not found.alive:
            raise ContainerError("CreateContainerError", f"pod {pod.namespace}/{pod.name} has no sandbox")
        return found
