"""The v1 PodStatus that follows from what runs. Pure.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/; the phase as kubelet's `getPhase`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.base.clock import rfc3339
from app.objects.change import Object
from app.objects.conditions import merged
from app.objects.qos import qos_class
from workers.agent import backoff
from workers.agent.decide import Health
from workers.agent.memory import PodMemory
from workers.agent.pod import (
    attempt_before,
    containers,
    ephemeral_containers,
    full_name,
    init_containers,
    is_sidecar,
    newest,
    restart_policy,
    restarts_after,
    status_of,
)
from workers.runtime.protocol import ContainerState, PodState, State

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
    inits = [_container(pod, c, state, memory, health, now, runtime, init=True) for c in init_containers(pod)]
    mains = [_container(pod, c, state, memory, health, now, runtime, init=False) for c in containers(pod)]
    phase = _phase(pod, inits, mains, state, memory)
    status: Object = {k: before[k] for k in _KEPT if k in before}
    status["phase"] = phase
    status["conditions"] = _conditions(pod, phase, inits, mains, state, memory, now)
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
        shown = [_container(once, c, state, memory, health, now, runtime, init=False) for c in temporary]
        status["ephemeralContainerStatuses"] = [{**each, "ready": False} for each in shown]
    status["qosClass"] = before.get("qosClass") or qos_class(pod["spec"])
    return status


def _explain(status: Object, before: Object, memory: PodMemory, phase: str) -> None:
    """Why the pod failed as a whole."""
    if memory.failed:
        status["reason"], status["message"] = memory.failed
    elif phase == "Failed" and before.get("reason"):
        status["reason"], status["message"] = before["reason"], before.get("message", "")


def _container(
    pod: Object,
    container: Object,
    state: PodState | None,
    memory: PodMemory,
    health: Mapping[str, Health],
    now: float,
    runtime: str,
    *,
    init: bool,
) -> Object:
    name = container["name"]
    before = status_of(pod, name)
    found = newest(state, name)
    status: Object = {
        "name": name,
        "image": container.get("image", ""),
        "imageID": "",
        "lastState": before.get("lastState") or {},
        "ready": False,
        "restartCount": int(before.get("restartCount") or 0),
        "started": False,
    }
    if found is None and before.get("containerID"):
        _lost(status, before, pod)
        return status
    if found is None:
        status["state"] = {"waiting": _waiting(pod, name, memory, init)}
        return status
    status["image"] = found.image or status["image"]
    status["imageID"] = found.image_id
    status["containerID"] = f"{runtime}://{found.id}"
    status["restartCount"] = found.attempt
    previous = attempt_before(state, name, found.attempt)
    if previous is not None and previous.state is State.EXITED:
        status["lastState"] = {"terminated": _terminated(previous, runtime)}
    if found.state is State.RUNNING:
        well = health.get(found.id, Health())
        status["state"] = {"running": {"startedAt": rfc3339(found.started_at)}}
        status["started"] = well.started
        serves = not init or is_sidecar(container)
        status["ready"] = serves and well.started and well.ready and found.id not in memory.hooked
    elif found.state is State.CREATED:
        status["state"] = {"waiting": _waiting(pod, name, memory, init)}
    else:
        _ended(status, pod, container, found, memory, now, runtime, init)
    return status


def _ended(
    status: Object,
    pod: Object,
    container: Object,
    found: ContainerState,
    memory: PodMemory,
    now: float,
    runtime: str,
    init: bool,
) -> None:
    """The status of a container that has exited: over, or waiting for its next start."""
    name = found.name
    ended = {"terminated": _terminated(found, runtime)}
    status["state"] = ended
    if init:
        policy = (
            "Always"
            if is_sidecar(container)
            else ("Never" if restart_policy(pod) == "Never" else "OnFailure")
        )
        status["ready"] = found.exit_code == 0 and not is_sidecar(container)
    else:
        policy = restart_policy(pod)
    if (
        pod["metadata"].get("deletionTimestamp")
        or memory.failed
        or not restarts_after(policy, found.exit_code)
    ):
        return
    mine = memory.of(name)
    waiting: Object | None = None
    if mine.waiting:
        waiting = {"reason": mine.waiting[0], "message": mine.waiting[1]}
    elif now < backoff.restart_at(mine, found.finished_at):
        seconds = backoff.current(mine, found.finished_at)
        waiting = {
            "reason": "CrashLoopBackOff",
            "message": f"back-off {_duration(seconds)} restarting failed container={name} pod={full_name(pod)}",
        }
    if waiting is not None:
        status["state"] = {"waiting": waiting}
        status["lastState"] = ended


def _lost(status: Object, before: Object, pod: Object) -> None:
    """The runtime no longer knows a container that ran. What the API knows of its end is kept; one that was
    last seen running ended in a way nobody saw (kubelet: ContainerStatusUnknown)."""
    old = before.get("state") or {}
    status["containerID"] = before["containerID"]
    status["imageID"] = before.get("imageID", "")
    if "terminated" in old:
        status["state"] = old
        status["ready"] = bool(before.get("ready")) and old["terminated"].get("exitCode") == 0
        return
    ended = {
        "terminated": {
            "exitCode": 137,
            "reason": "ContainerStatusUnknown",
            "message": "The container could not be located when the pod was looked at",
            "containerID": before["containerID"],
        }
    }
    if "running" in old:
        status["lastState"] = ended
    status["state"] = {"waiting": {"reason": "ContainerCreating"}}


def _waiting(pod: Object, name: str, memory: PodMemory, init: bool) -> Object:
    mine = memory.containers.get(name)
    trouble = (mine.waiting if mine else None) or memory.trouble
    if trouble:
        return {"reason": trouble[0], "message": trouble[1]}
    return {"reason": "PodInitializing" if init_containers(pod) else "ContainerCreating"}


def _terminated(container: ContainerState, runtime: str) -> Object:
    reason = "OOMKilled" if container.oom_killed else ("Completed" if container.exit_code == 0 else "Error")
    ended: Object = {
        "exitCode": container.exit_code,
        "reason": reason,
        "startedAt": rfc3339(container.started_at),
        "finishedAt": rfc3339(container.finished_at),
        "containerID": f"{runtime}://{container.id}",
    }
    if container.message:
        ended["message"] = container.message
    return ended


def _phase(
    pod: Object, inits: list[Object], mains: list[Object], state: PodState | None, memory: PodMemory
) -> str:
    before = (pod.get("status") or {}).get("phase")
    if before in ("Succeeded", "Failed"):
        return str(before)
    if memory.failed:
        return "Failed"
    policy = restart_policy(pod)
    begun = any(c.get("containerID") for c in mains)
    for spec, status in zip(init_containers(pod), inits, strict=True):
        if is_sidecar(spec) or begun:
            continue
        ended = status["state"].get("terminated")
        if ended is None:
            return "Pending"
        if ended["exitCode"] != 0:
            return "Failed" if policy == "Never" else "Pending"
    running = waiting = stopped = succeeded = 0
    for status in mains:
        if "running" in status["state"]:
            running += 1
        elif "terminated" in status["state"]:
            stopped += 1
            succeeded += status["state"]["terminated"]["exitCode"] == 0
        elif "terminated" in status["lastState"]:
            stopped += 1
        else:
            waiting += 1
    if waiting:
        return "Pending"
    if running:
        return "Running"
    deleting = bool(pod["metadata"].get("deletionTimestamp"))
    if succeeded == stopped and (policy != "Always" or deleting):
        return "Succeeded"
    if policy == "Never" or deleting:
        return "Failed"
    return "Running"


def _conditions(
    pod: Object,
    phase: str,
    inits: list[Object],
    mains: list[Object],
    state: PodState | None,
    memory: PodMemory,
    now: float,
) -> list[Object]:
    found: list[Object] = list((pod.get("status") or {}).get("conditions") or ())
    finished = phase in ("Succeeded", "Failed")
    begun = any(c.get("containerID") for c in mains)

    def put(type_: str, truth: bool, reason: str = "", message: str = "") -> None:
        nonlocal found
        found = merged(found, type_, "True" if truth else "False", now, reason=reason, message=message)

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
    watched = mains + [s for spec, s in zip(init_containers(pod), inits, strict=True) if is_sidecar(spec)]
    unready = sorted(s["name"] for s in watched if not s["ready"])
    if finished:
        reason, message = ("PodCompleted" if phase == "Succeeded" else "PodFailed"), ""
    else:
        reason, message = "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
    all_ready = not unready and not finished
    gates = _closed_gates(pod)
    if all_ready and gates:
        put("Ready", False, "ReadinessGatesNotReady", "; ".join(gates))
    else:
        put("Ready", all_ready, "" if all_ready else reason, "" if all_ready else message)
    put("ContainersReady", all_ready, "" if all_ready else reason, "" if all_ready else message)
    put("PodScheduled", True)
    return found


def _closed_gates(pod: Object) -> list[str]:
    """Readiness gates that somebody else has yet to open (spec.readinessGates)."""
    conditions: dict[str, Any] = {
        c.get("type", ""): c.get("status") for c in (pod.get("status") or {}).get("conditions") or ()
    }
    closed = []
    for gate in pod["spec"].get("readinessGates") or ():
        type_ = gate["conditionType"]
        if conditions.get(type_) != "True":
            closed.append(
                f'corresponding condition of pod readiness gate "{type_}" does not exist or is not True.'
            )
    return closed


def _duration(seconds: float) -> str:
    """As Go prints it: `10s`, `1m20s`, `5m0s`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
