"""What a container's status says: waiting, running or terminated, and how it ended before. Pure.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states
"""

from __future__ import annotations

from collections.abc import Mapping

from app.base.clock import rfc3339
from app.objects.change import Object
from workers.agent.deciding import backoff
from workers.agent.deciding.containers import Health, is_greeted
from workers.agent.deciding.restarts import restarts
from workers.agent.memory import PodMemory
from workers.agent.pod import attempt_before, full_name, init_containers, is_sidecar, newest, status_of
from workers.runtime.protocol import ContainerState, PodState, State


def container_status(
    pod: Object,
    container: Object,
    state: PodState | None,
    memory: PodMemory,
    health: Mapping[str, Health],
    now: float,
    runtime: str,
    *,
    init: bool,
    over: bool,
) -> Object:
    """One entry of containerStatuses and its like. `init`: of an init container or a sidecar. `over`: nothing of the
    pod is started any more."""
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
    signal = (container.get("lifecycle") or {}).get("stopSignal")
    if signal:
        status["stopSignal"] = signal
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
    if found.user is not None:
        numbers = {
            "uid": found.user.uid,
            "gid": found.user.gid,
            "supplementalGroups": list(found.user.groups),
        }
        status["user"] = {"linux": numbers}
    previous = attempt_before(state, name, found.attempt)
    if previous is not None and previous.state is State.EXITED:
        status["lastState"] = {"terminated": _terminated(previous, runtime, memory)}
    elif previous is None and before.get("containerID") not in (None, status["containerID"]):
        # It was removed right after its end, or instead of it.
        old = before.get("state") or {}
        if "terminated" in old or "running" in old:
            status["lastState"] = old if "terminated" in old else _unseen(before)
    if found.state is State.RUNNING and is_greeted(pod, container, found, memory):
        well = health.get(found.id, Health())
        status["state"] = {"running": {"startedAt": rfc3339(found.started_at)}}
        status["started"] = well.started
        serves = not init or is_sidecar(container)
        status["ready"] = serves and well.started and well.ready
    elif found.state is State.EXITED:
        status["state"] = {"terminated": _terminated(found, runtime, memory)}
        status["ready"] = init and found.exit_code == 0 and not is_sidecar(container)
        if not over and restarts(pod, container, found.exit_code, init=init):
            _waits_again(status, pod, found, memory, now)
    else:
        # Created, or its postStart hook is not done yet: as in Kubernetes, it runs once that is.
        status["state"] = {"waiting": _waiting(pod, name, memory, init)}
    return status


def _waits_again(status: Object, pod: Object, found: ContainerState, memory: PodMemory, now: float) -> None:
    """A container that has exited and will start again: what it waits for, if there is anything."""
    mine = memory.of(found.name)
    ended = backoff.believed(mine, found.finished_at, now)
    if mine.waiting:
        waiting = {"reason": mine.waiting[0], "message": mine.waiting[1]}
    elif now < backoff.restart_at(mine, ended):
        seconds = backoff.current(mine, ended)
        back_off = f"back-off {_duration(seconds)} restarting failed"
        waiting = {
            "reason": "CrashLoopBackOff",
            "message": f"{back_off} container={found.name} pod={full_name(pod)}",
        }
    else:
        return
    status["lastState"], status["state"] = status["state"], {"waiting": waiting}


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
    if "running" in old:
        status["lastState"] = _unseen(before)
    status["state"] = {"waiting": {"reason": "ContainerCreating"}}


def _unseen(before: Object) -> Object:
    """The end of a container that was last seen running."""
    return {
        "terminated": {
            "exitCode": 137,
            "reason": "ContainerStatusUnknown",
            "message": "The container could not be located when the pod was looked at",
            "containerID": before["containerID"],
        }
    }


def _waiting(pod: Object, name: str, memory: PodMemory, init: bool) -> Object:
    mine = memory.containers.get(name)
    trouble = (mine.waiting if mine else None) or memory.trouble
    if trouble:
        return {"reason": trouble[0], "message": trouble[1]}
    return {"reason": "PodInitializing" if init_containers(pod) else "ContainerCreating"}


def _terminated(container: ContainerState, runtime: str, memory: PodMemory) -> Object:
    reason = "OOMKilled" if container.oom_killed else ("Completed" if container.exit_code == 0 else "Error")
    ended: Object = {
        "exitCode": container.exit_code,
        "reason": reason,
        "startedAt": rfc3339(container.started_at),
        "finishedAt": rfc3339(container.finished_at),
        "containerID": f"{runtime}://{container.id}",
    }
    message = memory.last_words.get(container.id) or container.message
    if message:
        ended["message"] = message
    return ended


def _duration(seconds: float) -> str:
    """As Go prints it: `10s`, `1m20s`, `5m0s`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
