"""Ephemeral containers: started once in a pod that runs, for somebody who looks into it; never restarted.

https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
"""

from __future__ import annotations

from app.objects.change import Object
from workers.agent.deciding.step import Action, StartContainer, soonest
from workers.agent.memory import PodMemory
from workers.agent.pod import ephemeral_containers, newest, status_of
from workers.runtime.protocol import PodState, State


def starts(pod: Object, state: PodState, memory: PodMemory, now: float) -> tuple[list[Action], float | None]:
    """Those that are yet to be started, and when to look again for those that could not be."""
    found: list[Action] = []
    wake_at: float | None = None
    for container in ephemeral_containers(pod):
        name = container["name"]
        shown = newest(state, name)
        if shown is not None and shown.state is not State.CREATED:
            # Running, or over.
            continue
        if shown is None and status_of(pod, name).get("containerID"):
            # It ran, and the runtime has forgotten it.
            continue
        retry_at = memory.of(name).retry_at
        if now < retry_at:
            wake_at = soonest(wake_at, retry_at)
        else:
            found.append(StartContainer(name, 0))
    return found, wake_at
