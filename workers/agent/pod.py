"""Reading a v1 Pod: what its containers are and how they want to be treated."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.pods import MIRROR
from workers.runtime.protocol import ContainerState, PodRef, PodState

DEFAULT_GRACE = 30.0
# The lowest priority of pods without which a node or a cluster is of no use.
CRITICAL_PRIORITY = 2_000_000_000
# Of pods that come from a file, and of those that stand for them in the API: its hash, where it is from, since when.
HASH = "kubernetes.io/config.hash"
SOURCE = "kubernetes.io/config.source"
SEEN = "kubernetes.io/config.seen"


def ref(pod: Object) -> PodRef:
    meta = pod["metadata"]
    return PodRef(uid=meta["uid"], namespace=meta.get("namespace", ""), name=meta["name"])


def containers(pod: Object) -> list[Object]:
    return pod["spec"].get("containers") or []


def init_containers(pod: Object) -> list[Object]:
    """In the order in which they run, sidecars among them."""
    return pod["spec"].get("initContainers") or []


def ephemeral_containers(pod: Object) -> list[Object]:
    """What was added to the running pod for somebody who looks into it."""
    return pod["spec"].get("ephemeralContainers") or []


def is_sidecar(container: Object) -> bool:
    """An init container that keeps running beside the others
    (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/)."""
    return container.get("restartPolicy") == "Always"


def is_static(pod: Object) -> bool:
    """Whether the pod comes from a file of the node, or stands for one that does
    (https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/)."""
    notes = pod["metadata"].get("annotations") or {}
    return MIRROR in notes or notes.get(SOURCE, "api") != "api"


def is_critical(pod: Object) -> bool:
    """Whether the node keeps the pod whatever happens: static, or of one of the two highest priorities
    (https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/)."""
    return is_static(pod) or int(pod["spec"].get("priority") or 0) >= CRITICAL_PRIORITY


def find(pod: Object, name: str) -> Object | None:
    """The container, init container or ephemeral container of that name."""
    for container in (*containers(pod), *init_containers(pod), *ephemeral_containers(pod)):
        if container["name"] == name:
            return container
    return None


def restart_policy(pod: Object) -> str:
    return pod["spec"].get("restartPolicy") or "Always"


def grace(pod: Object) -> float:
    """Seconds between SIGTERM and SIGKILL: what the deletion says, else the spec."""
    asked = pod["metadata"].get("deletionGracePeriodSeconds")
    if asked is None:
        asked = pod["spec"].get("terminationGracePeriodSeconds")
    return DEFAULT_GRACE if asked is None else float(asked)


def newest(state: PodState | None, name: str) -> ContainerState | None:
    """The newest attempt of a container, as the runtime shows it."""
    found = None
    for container in state.containers if state else ():
        if container.name == name and (found is None or container.attempt >= found.attempt):
            found = container
    return found


def attempt_before(state: PodState | None, name: str, attempt: int) -> ContainerState | None:
    """The newest attempt older than `attempt`, if the runtime still has it."""
    found = None
    for container in state.containers if state else ():
        older = container.name == name and container.attempt < attempt
        if older and (found is None or container.attempt > found.attempt):
            found = container
    return found


def status_of(pod: Object, name: str) -> Object:
    """The container's status as the API has it; empty if it has none."""
    status = pod.get("status") or {}
    for section in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for entry in status.get(section) or ():
            if entry.get("name") == name:
                return entry  # type: ignore[no-any-return]
    return {}


def next_attempt(pod: Object, state: PodState | None, name: str) -> int:
    """The number of the next start: one more than the runtime or, where it has forgotten the container,
    the API knows of."""
    known = newest(state, name)
    if known is not None:
        return known.attempt + 1
    status = status_of(pod, name)
    return int(status.get("restartCount") or 0) + 1 if status.get("containerID") else 0


def full_name(pod: Object) -> str:
    """`web-1_default(uid)`, as kubelet names a pod in messages."""
    meta = pod["metadata"]
    return f"{meta['name']}_{meta.get('namespace', '')}({meta['uid']})"
