"""A pod's phase. Pure; as kubelet's `getPhase`.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
"""

from __future__ import annotations

from app.objects.change import Object
from app.objects.pods import FINISHED
from workers.agent.deciding.restarts import failed_for_good, restarts
from workers.agent.memory import PodMemory
from workers.agent.pod import containers, init_containers, is_sidecar
from workers.runtime.protocol import PodState, State


def phase_of(
    pod: Object, inits: list[Object], mains: list[Object], state: PodState | None, memory: PodMemory
) -> str:
    """The phase. Once it is Succeeded or Failed it stays so, and it is neither before nothing of the pod runs: until
    then its room is not free.

    Args:
        inits, mains: the statuses of its init and main containers, in the order of its spec.
    """
    before = (pod.get("status") or {}).get("phase")
    if before in FINISHED:
        return str(before)
    alive = state is not None and any(c.state is State.RUNNING for c in state.containers)
    if memory.failed and not alive:
        return "Failed"
    phase = _phase(pod, inits, mains)
    if not (alive and phase in FINISHED):
        return phase
    return str(before or ("Running" if any(c.get("containerID") for c in mains) else "Pending"))


def _phase(pod: Object, inits: list[Object], mains: list[Object]) -> str:
    begun = any(c.get("containerID") for c in mains)
    waiting = running = False
    for spec, status in zip(init_containers(pod), inits, strict=True):
        if is_sidecar(spec):
            waiting = waiting or not (begun or status["started"])
            running = running or "running" in status["state"]
        elif not begun:
            ended = status["state"].get("terminated")
            if ended is not None and failed_for_good(pod, spec, ended["exitCode"]):
                return "Failed"
            waiting = waiting or ended is None or ended["exitCode"] != 0
    ends: list[bool] = []
    again = False
    for spec, status in zip(containers(pod), mains, strict=True):
        ended = status["state"].get("terminated")
        if "running" in status["state"]:
            running = True
        elif ended is not None:
            ends.append(ended["exitCode"] == 0)
            again = again or restarts(pod, spec, ended["exitCode"])
        elif "terminated" in status["lastState"]:
            ends.append(False)
            again = True
        else:
            waiting = True
    if waiting:
        return "Pending"
    deleting = bool(pod["metadata"].get("deletionTimestamp"))
    if running or (again and not deleting):
        return "Running"
    return "Succeeded" if all(ends) else "Failed"
