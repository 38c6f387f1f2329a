"""What the containers of a pod that is to run need next: init containers in order, sidecars, main containers. Pure.

https://kubernetes.io/docs/concepts/workloads/pods/init-containers/ and .../sidecar-containers/
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from app.base.clock import parse_rfc3339
from app.objects.change import Object
from workers.agent.deciding import backoff
from workers.agent.deciding.end import Steps
from workers.agent.deciding.restarts import restarts
from workers.agent.deciding.step import Action, PostStart, StartContainer, soonest
from workers.agent.memory import PodMemory
from workers.agent.pod import (
    containers,
    grace,
    init_containers,
    is_sidecar,
    newest,
    next_attempt,
    status_of,
)
from workers.runtime.protocol import ContainerState, PodState, State

# How a container ends that is killed.
KILLED = 137


@dataclass(frozen=True, slots=True)
class Health:
    """What the probes say of one running container: `started` (its startup probe succeeded or it has none),
    `ready`, and `unhealthy`: why it must be killed, empty while it needn't; then with `grace` seconds, None
    for the pod's."""

    started: bool = True
    ready: bool = True
    unhealthy: str = ""
    grace: float | None = None


class Walk:
    """One pass over a pod's containers, gathering what each needs.

    A container whose postStart hook runs holds up the starts of those after it, as in Kubernetes.
    """

    def __init__(
        self, pod: Object, state: PodState, memory: PodMemory, health: Mapping[str, Health], now: float
    ) -> None:
        self.pod, self.state, self.memory, self.health, self.now = pod, state, memory, health, now
        self.backing_off: list[str] = []
        self._actions: list[Action] = []
        self._wake_at: float | None = None
        self._ends = Steps(pod, memory, now)
        self._held = False

    @property
    def actions(self) -> tuple[Action, ...]:
        return (*self._ends.actions, *self._actions)

    @property
    def wake_at(self) -> float | None:
        return soonest(self._wake_at, self._ends.wake_at)

    def visit_all(self) -> None:
        if self._visit_init():
            for container in containers(self.pod):
                self._visit(container)

    def _visit_init(self) -> bool:
        """Init containers run one after the other; the next begins when the one before has succeeded or, if it is a
        sidecar, has started. What came before the last that has begun is done for good, whatever is left of it in the
        runtime; sidecars among that are kept running and hold nothing up. In a new sandbox all begins anew. Returns
        whether all is done."""
        inits = init_containers(self.pod)
        if any(self._has_begun(c) for c in containers(self.pod)):
            passed = len(inits)
        else:
            passed = max((i for i, c in enumerate(inits) if self._has_begun(c)), default=0)
        for position, container in enumerate(inits):
            if position < passed:
                if is_sidecar(container):
                    self._visit(container, init=True)
                continue
            if self._is_done(container):
                if is_sidecar(container):
                    self._visit(container, init=True)
                continue
            self._visit(container, init=True)
            return False
        return True

    def _has_begun(self, container: Object) -> bool:
        found = newest(self.state, container["name"])
        if found is not None:
            return found.state is not State.EXITED or found.started_at >= self.state.since
        before = status_of(self.pod, container["name"])
        # A status tells whole seconds.
        return bool(before.get("containerID")) and _started_at(before) + 1 > self.state.since

    def _is_done(self, container: Object) -> bool:
        """Whether what comes after it may begin."""
        found = newest(self.state, container["name"])
        if found is None:
            return False
        if is_sidecar(container):
            running = found.state is State.RUNNING and found.id not in self.memory.endings
            return running and self.health.get(found.id, Health()).started and self._greeted(container, found)
        done = found.state is State.EXITED and found.exit_code == 0
        return done and found.started_at >= self.state.since

    def _visit(self, container: Object, *, init: bool = False) -> None:
        found = newest(self.state, container["name"])
        if found is not None and found.state is State.RUNNING:
            self._keep(container, found, init)
        elif not self._held:
            self._start(container, found, init)

    def _keep(self, container: Object, found: ContainerState, init: bool) -> None:
        """A container that runs: its hook, its health."""
        greeting = self.memory.post_start.get(found.id)
        ending = self.memory.endings.get(found.id)
        well = self.health.get(found.id, Health())
        if ending is not None:
            self._ends.end(found, ending.since, ending.period, "")
        elif greeting == "failed":
            self._ends.end(found, self.now, grace(self.pod), "FailedPostStartHook")
        elif well.unhealthy:
            period = grace(self.pod) if well.grace is None else well.grace
            again = restarts(self.pod, container, KILLED, init=init)
            why = well.unhealthy if again else well.unhealthy.removesuffix(", will be restarted")
            self._ends.end(found, self.now, period, why)
        elif not self._greeted(container, found):
            self._held = True
            if greeting is None:
                self._actions.append(PostStart(found.name, found.id))

    def _greeted(self, container: Object, found: ContainerState) -> bool:
        return is_greeted(self.pod, container, found, self.memory)

    def _start(self, container: Object, found: ContainerState | None, init: bool) -> None:
        """A container that doesn't run: start it, now or when its back-off is over, if it is to be."""
        name = container["name"]
        memory = self.memory.of(name)
        if found is not None and found.state is State.EXITED:
            anew = init and found.started_at < self.state.since
            if not anew and not restarts(self.pod, container, found.exit_code, init=init):
                return
            at = backoff.restart_at(memory, backoff.believed(memory, found.finished_at, self.now))
            if self.now < at:
                self.backing_off.append(name)
                self._wake_at = soonest(self._wake_at, at)
                return
        if self.now < memory.retry_at:
            self._wake_at = soonest(self._wake_at, memory.retry_at)
            return
        created = found is not None and found.state is State.CREATED
        attempt = found.attempt if created and found else next_attempt(self.pod, self.state, name)
        self._actions.append(StartContainer(name, attempt, init))
        self._held = bool((container.get("lifecycle") or {}).get("postStart"))


def _started_at(status: Object) -> float:
    """When the container last started, as far as its status says."""
    for state in (status.get("state") or {}, status.get("lastState") or {}):
        for kind in ("running", "terminated"):
            at = (state.get(kind) or {}).get("startedAt")
            if at:
                return parse_rfc3339(at)
    return math.inf


def is_greeted(pod: Object, container: Object, found: ContainerState, memory: PodMemory) -> bool:
    """Whether a running container has its postStart hook behind it, or has none. The API is told that a container
    runs only once it has; so an agent that knows of no hook finds out there."""
    if not (container.get("lifecycle") or {}).get("postStart"):
        return True
    known = memory.post_start.get(found.id)
    if known is not None:
        return known == "done"
    before = status_of(pod, found.name)
    shown = str(before.get("containerID") or "").endswith(f"://{found.id}")
    return shown and "running" in (before.get("state") or {})
