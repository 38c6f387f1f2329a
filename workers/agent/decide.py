"""What to do next for a pod: pure, from what it asks for, what runs, what its probes say, and the time.

An agent looks, decides, carries the actions out in order, and looks again, until there are none. Every
decision starts from what is observed and none from what was planned before, so a pod whose agent died in
the middle of anything ends where an undisturbed one does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.base.clock import parse_rfc3339
from app.objects.change import Object
from workers.agent import backoff
from workers.agent.decide_stop import Drain, stopping
from workers.agent.decide_temporary import starts
from workers.agent.memory import PodMemory
from workers.agent.pod import (
    containers,
    grace,
    init_containers,
    is_sidecar,
    newest,
    next_attempt,
    restart_policy,
    restarts_after,
    status_of,
)
from workers.agent.step import (
    Action,
    Decision,
    RemoveContainer,
    StartContainer,
    StartSandbox,
    Stop,
    Target,
    soonest,
)
from workers.runtime.protocol import ContainerState, PodState, State


@dataclass(frozen=True, slots=True)
class Health:
    """What the probes say of one running container: `started` (its startup probe succeeded or it has none),
    `ready`, and `unhealthy`: why it must be killed, empty while it needn't; then with `grace` seconds, None
    for the pod's."""

    started: bool = True
    ready: bool = True
    unhealthy: str = ""
    grace: float | None = None


def decide(
    pod: Object,
    state: PodState | None,
    memory: PodMemory,
    health: Mapping[str, Health],
    now: float,
    drain: Drain,
) -> Decision:
    """The next steps. `health` is keyed by container id; `drain` matters for a pod that is being deleted."""
    if pod["metadata"].get("deletionTimestamp"):
        return stopping(pod, state, memory, now, drain)
    if memory.stopping:
        return Decision()
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed") or memory.failed:
        return _stop_all(state, memory.failed[1] if memory.failed else "")
    deadline = _deadline(pod, memory)
    if deadline is not None and now >= deadline:
        return _stop_all(state, "Pod was active on the node longer than the specified deadline")
    decision = _keep_running(pod, state, memory, health, now)
    return Decision(decision.actions, soonest(decision.wake_at, deadline), decision.backing_off)


def past_deadline(pod: Object, memory: PodMemory, now: float) -> bool:
    """Whether `spec.activeDeadlineSeconds` has passed: the pod fails with DeadlineExceeded."""
    deadline = _deadline(pod, memory)
    return deadline is not None and now >= deadline


def _deadline(pod: Object, memory: PodMemory) -> float | None:
    seconds = pod["spec"].get("activeDeadlineSeconds")
    if seconds is None:
        return None
    since = (pod.get("status") or {}).get("startTime")
    return (parse_rfc3339(since) if since else memory.started_at) + float(seconds)


def _stop_all(state: PodState | None, why: str) -> Decision:
    running = [c for c in state.containers if c.state is State.RUNNING] if state else []
    if not running:
        return Decision()
    return Decision((Stop(tuple(Target(c.name, c.id, why) for c in running), grace=2.0),))


def _keep_running(
    pod: Object, state: PodState | None, memory: PodMemory, health: Mapping[str, Health], now: float
) -> Decision:
    if _work_is_done(pod, state):
        # Sidecars end with the containers they serve.
        return Decision((*_stop_all(state, "").actions, *_old_attempts(state)))
    if state is None or not state.ready:
        return _sandbox(state, memory, now)
    walk = _Walk(pod, state, memory, health, now)
    walk.init()
    if walk.initialized:
        for container in containers(pod):
            walk.visit(container, restart_policy(pod))
    temporary, retry_at = starts(pod, state, memory, now)
    return Decision(
        (*walk.actions, *temporary, *_old_attempts(state)),
        soonest(walk.wake_at, retry_at),
        tuple(walk.backing_off),
    )


def _sandbox(state: PodState | None, memory: PodMemory, now: float) -> Decision:
    if now < memory.sandbox_retry_at:
        return Decision((), memory.sandbox_retry_at)
    orphans = tuple(
        Target(c.name, c.id, "Pod sandbox changed, it will be killed and re-created.")
        for c in (state.containers if state else ())
        if c.state is State.RUNNING
    )
    # Containers live in their sandbox's network: a new sandbox needs new containers.
    return Decision((Stop(orphans, grace=2.0),) if orphans else (StartSandbox(),))


def _work_is_done(pod: Object, state: PodState | None) -> bool:
    """Whether every container has ended for good, or an init container has failed for good."""
    policy = restart_policy(pod)
    for container in init_containers(pod):
        found = newest(state, container["name"])
        failed = found is not None and found.state is State.EXITED and found.exit_code != 0
        if failed and policy == "Never" and not is_sidecar(container):
            return True
    if policy == "Always":
        return False
    for container in containers(pod):
        found = newest(state, container["name"])
        if found is None or found.state is not State.EXITED or restarts_after(policy, found.exit_code):
            return False
    return True


def _old_attempts(state: PodState | None) -> list[Action]:
    """All but the two newest attempts of each container: the last one's end and log are still shown."""
    by_name: dict[str, list[ContainerState]] = {}
    for container in state.containers if state else ():
        by_name.setdefault(container.name, []).append(container)
    old: list[Action] = []
    for attempts in by_name.values():
        if len(attempts) > 2:
            attempts.sort(key=lambda c: c.attempt)
            old.extend(RemoveContainer(c.name, c.id) for c in attempts[:-2] if c.state is not State.RUNNING)
    return old


class _Walk:
    """One pass over a pod's containers, gathering what each needs."""

    def __init__(
        self, pod: Object, state: PodState, memory: PodMemory, health: Mapping[str, Health], now: float
    ) -> None:
        self.pod, self.state, self.memory, self.health, self.now = pod, state, memory, health, now
        self.actions: list[Action] = []
        self.wake_at: float | None = None
        self.backing_off: list[str] = []
        self.initialized = True

    def init(self) -> None:
        """Init containers run one after the other; the first that isn't done holds up all that follow.
        Once a container has run they are done for good, whatever is left of them in the runtime."""
        begun = any(
            newest(self.state, c["name"]) is not None or status_of(self.pod, c["name"]).get("containerID")
            for c in containers(self.pod)
        )
        # An init container that fails is tried again unless the pod never restarts anything.
        policy = "Never" if restart_policy(self.pod) == "Never" else "OnFailure"
        for container in init_containers(self.pod):
            found = newest(self.state, container["name"])
            if is_sidecar(container):
                self.visit(container, "Always", init=True)
                running = found is not None and found.state is State.RUNNING
                if running and found is not None and self.health.get(found.id, Health()).started:
                    continue
                if begun:
                    continue
                self.initialized = False
                return
            if begun:
                continue
            if found is not None and found.state is State.EXITED and found.exit_code == 0:
                continue
            self.visit(container, policy, init=True)
            self.initialized = False
            return

    def visit(self, container: Object, policy: str, init: bool = False) -> None:
        name = container["name"]
        found = newest(self.state, name)
        memory = self.memory.of(name)
        if found is not None and found.state is State.RUNNING:
            well = self.health.get(found.id, Health())
            if well.unhealthy:
                seconds = grace(self.pod) if well.grace is None else well.grace
                self.actions.append(Stop((Target(name, found.id, well.unhealthy),), seconds))
            return
        if found is not None and found.state is State.EXITED:
            if not restarts_after(policy, found.exit_code):
                return
            at = backoff.restart_at(memory, found.finished_at)
            if self.now < at:
                self.backing_off.append(name)
                self.wake_at = soonest(self.wake_at, at)
                return
        if self.now < memory.retry_at:
            self.wake_at = soonest(self.wake_at, memory.retry_at)
            return
        created = found is not None and found.state is State.CREATED
        attempt = found.attempt if created and found else next_attempt(self.pod, self.state, name)
        self.actions.append(StartContainer(name, attempt, init))
