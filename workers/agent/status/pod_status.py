"""The v1 PodStatus that follows from what runs. Pure.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/; the phase as kubelet's `getPhase`.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.base.clock import rfc3339
from app.objects.change import Object
from app.objects.pods import is_terminal
from app.objects.qos import qos_class
from workers.agent.deciding.containers import Health
from workers.agent.deciding.decide import work_is_done
from workers.agent.memory import PodMemory
from workers.agent.pod import containers, ephemeral_containers, init_containers, newest
from workers.agent.resizing.decide import note_resources, of_resize
from workers.agent.status.conditions import conditions_of
from workers.agent.status.container import container_status
from workers.agent.status.phase import phase_of
from workers.runtime.protocol import PodState

# Fields that others set on a pod's status and an agent hands on as they are.
_KEPT = ("nominatedNodeName", "resourceClaimStatuses", "resize")


def pod_status(
    pod: Object,
    state: PodState | None,
    memory: PodMemory,
    health: Mapping[str, Health],
    now: float,
    *,
    node_ip: str,
    runtime: str,
) -> Object:
    """The status to report. Conditions keep their lastTransitionTime unless they changed.

    Args:
        state: what the runtime shows, or None. node_ip: for hostIP. runtime: the scheme of container ids.
    """
    before: Object = pod.get("status") or {}
    over = _is_over(pod, state, memory)

    def shown(container: Object, init: bool, owner: Object = pod) -> Object:
        shown = container_status(owner, container, state, memory, health, now, runtime, init=init, over=over)
        if owner is pod:
            note_resources(shown, pod, container, newest(state, container["name"]))
        return shown

    inits = [shown(c, True) for c in init_containers(pod)]
    mains = [shown(c, False) for c in containers(pod)]
    phase = phase_of(pod, inits, mains, state, memory)
    status: Object = {k: before[k] for k in _KEPT if k in before}
    generation = pod["metadata"].get("generation")
    if generation is not None:
        status["observedGeneration"] = generation
    status["phase"] = phase
    status["conditions"] = of_resize(conditions_of(pod, phase, inits, mains, state, memory, now), memory, now)
    _explain(status, before, memory, phase)
    status["hostIP"] = node_ip
    status["hostIPs"] = [{"ip": node_ip}]
    address = state.address if state and state.address else before.get("podIP")
    if address:
        status["podIP"] = address
        status["podIPs"] = [{"ip": address}]
    status["startTime"] = before.get("startTime") or rfc3339(memory.started_at or now)
    if inits:
        status["initContainerStatuses"] = inits
    status["containerStatuses"] = sorted(mains, key=lambda c: c["name"])
    temporary = ephemeral_containers(pod)
    if temporary:
        # None of them ever serves, or is started again.
        once = {**pod, "spec": {**pod["spec"], "restartPolicy": "Never"}}
        status["ephemeralContainerStatuses"] = [
            {**shown(container, False, once), "ready": False} for container in temporary
        ]
    status["qosClass"] = before.get("qosClass") or qos_class(pod["spec"])
    return status


def _explain(status: Object, before: Object, memory: PodMemory, phase: str) -> None:
    """Why the pod failed as a whole."""
    if memory.failed and phase == "Failed":
        status["reason"], status["message"] = memory.failed
    elif phase == "Failed" and before.get("reason"):
        status["reason"], status["message"] = before["reason"], before.get("message", "")


def _is_over(pod: Object, state: PodState | None, memory: PodMemory) -> bool:
    """Whether nothing of the pod is started any more."""
    return bool(
        pod["metadata"].get("deletionTimestamp")
        or memory.failed
        or is_terminal(pod)
        or work_is_done(pod, state)
    )
