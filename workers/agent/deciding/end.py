"""How containers end: hook, signal, and in which order those of a pod do. Pure.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination: preStop hooks run first, within the
grace period; then SIGTERM, and SIGKILL when the period is over. Of a pod that ends, sidecars get their SIGTERM after
the main containers have ended, the last sidecar first, or when the period is over; their hooks run with all others.
As kubelet does, whoever waited for a hook or for its turn gets 2 seconds at least between the two signals.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Object
from workers.agent.deciding.step import Action, Decision, PreStop, Stop, Target, soonest
from workers.agent.memory import PodMemory
from workers.agent.pod import ephemeral_containers, find, init_containers, is_sidecar
from workers.runtime.protocol import ContainerState, PodState, State

# Between SIGTERM and SIGKILL of what waited for a hook or for its turn. Seconds.
LEAST = 2.0


def teardown(
    pod: Object, state: PodState | None, memory: PodMemory, now: float, period: float, why: str = ""
) -> Decision:
    """The next steps towards a pod of which nothing runs, within `period` seconds of its beginning."""
    running = [c for c in state.containers if c.state is State.RUNNING] if state else []
    began = now
    if memory.ending is not None and period >= memory.ending[1]:
        began = memory.ending[0]
    waiting_for = _prerequisites(pod, running)
    steps = Steps(pod, memory, now, of_pod=True)
    for container in running:
        steps.end(container, began, period, why, turn=not waiting_for.get(container.name))
    return Decision(steps.actions, steps.wake_at)


class Steps:
    """Gathers what is to be done for the ends of containers."""

    def __init__(self, pod: Object, memory: PodMemory, now: float, *, of_pod: bool = False) -> None:
        self._pod, self._memory, self._now, self._of_pod = pod, memory, now, of_pod
        self._hooks: dict[float, list[Target]] = {}
        self._stops: dict[tuple[float, float], list[Target]] = {}
        self.wake_at: float | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        hooks = [PreStop(tuple(t), period, self._of_pod) for period, t in self._hooks.items()]
        stops = [Stop(tuple(t), left, period, self._of_pod) for (left, period), t in self._stops.items()]
        return (*hooks, *stops)

    def end(
        self, container: ContainerState, began: float, period: float, why: str, *, turn: bool = True
    ) -> None:
        """One step towards the end of a running container.

        Args:
            began: when its end began. A shorter `period` than the one under way begins anew.
            why: what its Event says. turn: nothing that has to end before it runs.
        """
        ending = self._memory.endings.get(container.id)
        # What is under way is to end sooner, and so is its hook.
        shortened = ending is not None and ending.hook == "running" and period < ending.period
        if ending is not None and period >= ending.period:
            if ending.signalled:
                return
            began, period = ending.since, ending.period
        left = began + period - self._now
        target = Target(container.name, container.id, why or f"Stopping container {container.name}")
        hooked = period > 0 and _has_hook(self._pod, container.name)
        if hooked and left > 0 and (ending is None or not ending.hook or shortened):
            self._hooks.setdefault(period, []).append(target)
            return
        waits = bool(hooked and ending is not None and ending.hook == "running") or not turn
        if waits and left > 0:
            self.wake_at = soonest(self.wake_at, began + period)
            return
        if period > 0 and (hooked or waits or self._now > began):
            left = max(left, LEAST)
        self._stops.setdefault((max(left, 0.0), period), []).append(target)


def _has_hook(pod: Object, name: str) -> bool:
    container = find(pod, name)
    return bool(container and (container.get("lifecycle") or {}).get("preStop"))


def _prerequisites(pod: Object, running: Iterable[ContainerState]) -> dict[str, bool]:
    """For each sidecar, whether something runs that has to end before it does."""
    names = {container.name for container in running}
    sidecars = [c["name"] for c in init_containers(pod) if is_sidecar(c)]
    temporary = {c["name"] for c in ephemeral_containers(pod)}
    ahead = bool(names - set(sidecars) - temporary)
    found: dict[str, bool] = {}
    for name in reversed(sidecars):
        found[name] = ahead
        ahead = ahead or name in names
    return found
