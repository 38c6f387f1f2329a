"""The table of pods: k8s.io/kubernetes/pkg/printers/internalversion, printPod."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME, NONE
from app.schemas.duration import since
from app.schemas.kind import Column

FINISHED = ("Succeeded", "Failed")


def _state(status: Object) -> tuple[Object | None, Object | None, Object | None]:
    state = status.get("state") or {}
    return state.get("waiting"), state.get("running"), state.get("terminated")


def _sidecars(pod: Object) -> set[str]:
    """Names of init containers that keep running beside the containers."""
    initial = pod.get("spec", {}).get("initContainers") or ()
    return {container.get("name", "") for container in initial if container.get("restartPolicy") == "Always"}


def _is_true(pod: Object, condition: str) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(c.get("type") == condition and c.get("status") == "True" for c in conditions)


def _ended(terminated: Object, prefix: str = "") -> str:
    """How a container's end is named."""
    if terminated.get("reason"):
        return f"{prefix}{terminated['reason']}"
    if terminated.get("signal"):
        return f"{prefix}Signal:{terminated['signal']}"
    return f"{prefix}ExitCode:{terminated.get('exitCode', 0)}"


def _initializing(pod: Object) -> str:
    """`Init:...` while an init container has yet to do its part; empty once all have."""
    initial = pod.get("spec", {}).get("initContainers") or ()
    sidecars = _sidecars(pod)
    for i, status in enumerate(pod.get("status", {}).get("initContainerStatuses") or ()):
        waiting, _, terminated = _state(status)
        if terminated and terminated.get("exitCode", 0) == 0:
            continue
        if status.get("name") in sidecars and status.get("started"):
            continue
        if terminated:
            return _ended(terminated, "Init:")
        if waiting and waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{i}/{len(initial)}"
    return ""


def status_of(pod: Object) -> str:
    """The one word in the STATUS column."""
    status = pod.get("status") or {}
    phase = status.get("phase", "")
    reason = status.get("reason") or phase
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    initializing = _initializing(pod)
    reason = initializing or reason
    if not initializing or _is_true(pod, "Initialized"):
        running = False
        for container in reversed(status.get("containerStatuses") or ()):
            waiting, runs, terminated = _state(container)
            if waiting and waiting.get("reason"):
                reason = waiting["reason"]
            elif terminated:
                reason = _ended(terminated)
            elif container.get("ready") and runs is not None:
                running = True
        if reason == "Completed" and running:
            reason = "Running" if _is_true(pod, "Ready") else "NotReady"
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if phase not in FINISHED:
            return "Terminating"
    return reason


def ready(pod: Object) -> str:
    """How many containers are ready, of how many."""
    status, sidecars = pod.get("status") or {}, _sidecars(pod)
    total = len(pod.get("spec", {}).get("containers") or ()) + len(sidecars)
    count = sum(
        1
        for container in status.get("initContainerStatuses") or ()
        if container.get("name") in sidecars and container.get("started") and container.get("ready")
    )
    if not _initializing(pod) or _is_true(pod, "Initialized"):
        count += sum(
            1
            for container in status.get("containerStatuses") or ()
            if container.get("ready") and (container.get("state") or {}).get("running") is not None
        )
    return f"{count}/{total}"


def restarts(pod: Object, now: float) -> str:
    """How often containers were restarted, and when last: `2 (5m ago)`."""
    status, sidecars = pod.get("status") or {}, _sidecars(pod)
    counted = list(status.get("initContainerStatuses") or ())
    if not _initializing(pod) or _is_true(pod, "Initialized"):
        counted = [c for c in counted if c.get("name") in sidecars]
        counted += status.get("containerStatuses") or ()
    count = sum(container.get("restartCount", 0) for container in counted)
    ends = [((c.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or "" for c in counted]
    last = max(ends, default="")
    return f"{count} ({since(last, now)} ago)" if count and last else str(count)


def _gates(pod: Object) -> str:
    gates = pod.get("spec", {}).get("readinessGates") or ()
    if not gates:
        return NONE
    return f"{sum(_is_true(pod, gate.get('conditionType', '')) for gate in gates)}/{len(gates)}"


def _ip(pod: Object) -> str:
    status = pod.get("status") or {}
    first = (status.get("podIPs") or [{}])[0].get("ip")
    return first or status.get("podIP") or NONE


POD = (
    NAME,
    Column("Ready", "string", lambda pod, _: ready(pod), description="Containers that are ready, of all."),
    Column("Status", "string", lambda pod, _: status_of(pod), description="What the pod is doing."),
    Column("Restarts", "string", restarts, description="How often containers were restarted, and when last."),
    AGE,
    Column("IP", "string", lambda pod, _: _ip(pod), 1, description="The pod's address."),
    Column(
        "Node",
        "string",
        lambda pod, _: pod.get("spec", {}).get("nodeName") or NONE,
        1,
        description="Its node.",
    ),
    Column(
        "Nominated Node",
        "string",
        lambda pod, _: pod.get("status", {}).get("nominatedNodeName") or NONE,
        1,
        description="The node on which room is being made for it.",
    ),
    Column(
        "Readiness Gates", "string", lambda pod, _: _gates(pod), 1, description="Gates that are open, of all."
    ),
)
