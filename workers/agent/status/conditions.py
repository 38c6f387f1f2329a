"""A pod's conditions. Pure; reasons and messages are kubelet's.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions
"""

from __future__ import annotations

from typing import Any

from app.objects.change import Object
from app.objects.conditions import Truth, merged
from app.objects.pods import FINISHED
from workers.agent.memory import PodMemory
from workers.agent.pod import init_containers, is_sidecar
from workers.runtime.protocol import PodState


def conditions_of(
    pod: Object,
    phase: str,
    inits: list[Object],
    mains: list[Object],
    state: PodState | None,
    memory: PodMemory,
    now: float,
) -> list[Object]:
    """All conditions: those that others set, and the agent's own, which keep their lastTransitionTime unless they
    changed. `inits`, `mains`: the statuses of its containers, in the order of its spec."""
    found: list[Object] = list((pod.get("status") or {}).get("conditions") or ())
    finished = phase in FINISHED or memory.failed is not None
    begun = any(c.get("containerID") for c in mains)
    generation = pod["metadata"].get("generation")

    def put(type_: str, truth: bool, reason: str = "", message: str = "") -> None:
        nonlocal found
        status: Truth = "True" if truth else "False"
        found = merged(
            found, type_, status, now, reason=reason, message=message, observedGeneration=generation
        )

    put("PodReadyToStartContainers", bool(state and state.ready))
    incomplete = (
        []
        if begun
        else [
            s["name"]
            for spec, s in zip(init_containers(pod), inits, strict=True)
            if not (s["started"] if is_sidecar(spec) else s["ready"])
        ]
    )
    if incomplete and phase != "Succeeded":
        message = f"containers with incomplete status: [{' '.join(incomplete)}]"
        put("Initialized", False, "ContainersNotInitialized", message)
    else:
        put("Initialized", True, "PodCompleted" if phase == "Succeeded" else "")
    sidecars = [s for spec, s in zip(init_containers(pod), inits, strict=True) if is_sidecar(spec)]
    unready = [s["name"] for s in (*sidecars, *mains) if not s["ready"]]
    if finished:
        reason, message = ("PodCompleted" if phase == "Succeeded" else "PodFailed"), ""
    else:
        reason, message = "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
    all_ready = not unready and not finished
    gates = _closed_gates(pod)
    if all_ready and gates:
        put("Ready", False, "ReadinessGatesNotReady", ", ".join(gates))
    else:
        put("Ready", all_ready, "" if all_ready else reason, "" if all_ready else message)
    put("ContainersReady", all_ready, "" if all_ready else reason, "" if all_ready else message)
    put("PodScheduled", True)
    if memory.disrupted and memory.failed:
        put("DisruptionTarget", True, "TerminationByKubelet", memory.failed[1])
    return found


def _closed_gates(pod: Object) -> list[str]:
    """Readiness gates that somebody else has yet to open (spec.readinessGates)."""
    conditions: dict[str, Any] = {
        c.get("type", ""): c.get("status") for c in (pod.get("status") or {}).get("conditions") or ()
    }
    closed = []
    for gate in pod["spec"].get("readinessGates") or ():
        type_ = gate["conditionType"]
        if type_ not in conditions:
            closed.append(f'corresponding condition of pod readiness gate "{type_}" does not exist.')
        elif conditions[type_] != "True":
            closed.append(
                f'the status of pod readiness gate "{type_}" is not "True", but {conditions[type_]}'
            )
    return closed
