"""What to do next for a pod: pure, from what it asks for, what runs, what its probes say, and the time.

An agent looks, decides, carries the actions out in order, and looks again, until there are none. Every
decision starts from what is observed and none from what was planned before, so a pod whose agent died in
the middle of anything ends where an undisturbed one does.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.base.clock import parse_rfc3339
from app.objects.change import Object
from app.objects.pods import is_terminal
from workers.agent.deciding.containers import Health, Walk
from workers.agent.deciding.end import teardown
from workers.agent.deciding.restarts import failed_for_good, restarts
from workers.agent.deciding.step import Action, Decision, RemoveContainer, StartSandbox, Stop, Target, soonest
from workers.agent.deciding.stop import Drain, stopping
from workers.agent.deciding.temporary import starts
from workers.agent.memory import PodMemory
from workers.agent.pod import containers, grace, init_containers, is_sidecar, newest
from workers.runtime.protocol import ContainerState, PodState, State

# What is left of a pod whose sandbox died has no network any more. Seconds between SIGTERM and SIGKILL.
WITHOUT_SANDBOX = 2.0


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
    if is_terminal(pod) or memory.failed is not None or past_deadline(pod, memory, now):
        period = grace(pod) if memory.end_grace is None else memory.end_grace
        return teardown(pod, state, memory, now, period)
    decision = _keep_running(pod, state, memory, health, now)
    return Decision(decision.actions, soonest(decision.wake_at, _deadline(pod, memory)), decision.backing_off)


def is_over(pod: Object, state: PodState | None) -> bool:
    """Whether the pod has ended and stays, so that others may have what it held (kubelet: IsPodTerminated)."""
    return not pod["metadata"].get("deletionTimestamp") and has_ended(pod, state)


def has_ended(pod: Object, state: PodState | None) -> bool:
    """Whether nothing of the pod runs or will again, be it marked for deletion or not."""
    if not is_terminal(pod):
        return False
    return state is None or all(c.state is not State.RUNNING for c in state.containers)


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


def _keep_running(
    pod: Object, state: PodState | None, memory: PodMemory, health: Mapping[str, Health], now: float
) -> Decision:
    if work_is_done(pod, state):
        # Sidecars end with the containers they serve.
        ending = teardown(pod, state, memory, now, grace(pod))
        return Decision((*ending.actions, *_old_attempts(state)), ending.wake_at)
    if state is None or not state.ready:
        return _sandbox(state, memory, now)
    walk = Walk(pod, state, memory, health, now)
    walk.visit_all()
    temporary, retry_at = starts(pod, state, memory, now)
    return Decision(
        (*walk.actions, *temporary, *_old_attempts(state)),
        soonest(walk.wake_at, retry_at),
        tuple(walk.backing_off),
    )


def _sandbox(state: PodState | None, memory: PodMemory, now: float) -> Decision:
    if now < memory.sandbox_retry_at:
        return Decision((), memory.sandbox_retry_at)
    orphans = [c for c in (state.containers if state else ()) if c.state is State.RUNNING]
    if not orphans:
        return Decision((StartSandbox(),))
    # Containers live in their sandbox's network: a new sandbox needs new containers.
    why = "Pod sandbox changed, it will be killed and re-created."
    signalled = {id_ for id_, ending in memory.endings.items() if ending.signalled}
    others = tuple(Target(c.name, c.id, why) for c in orphans if c.id not in signalled)
    return Decision((Stop(others, WITHOUT_SANDBOX, WITHOUT_SANDBOX),) if others else ())


def work_is_done(pod: Object, state: PodState | None) -> bool:
    """Whether every main container has ended for good, or an init container has failed for good."""
    for container in init_containers(pod):
        found = newest(state, container["name"])
        if found is None or found.state is not State.EXITED or is_sidecar(container):
            continue
        if failed_for_good(pod, container, found.exit_code):
            return True
    for container in containers(pod):
        found = newest(state, container["name"])
        if found is None or found.state is not State.EXITED or restarts(pod, container, found.exit_code):
            return False
    return bool(containers(pod))


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
