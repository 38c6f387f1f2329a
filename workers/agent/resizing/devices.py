"""The node's GPUs: which container has which. Each is held by one container of a pod, for the pod's life.

https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/: containers ask for `nvidia.com/gpu` in their limits. What
the engine runs tells who holds what, so a restarted agent knows. Init containers that end leave theirs to the
containers after them: the scheduler counts so.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from app.objects import quantity
from app.objects.change import Object
from workers.agent.pod import init_containers, is_sidecar
from workers.runtime.protocol import PodState

GPU = "nvidia.com/gpu"
Holder = tuple[str, str]


class NoDevice(Exception):
    """So many GPUs are not free."""


class Gpus:
    """See the module."""

    def __init__(self) -> None:
        self._held: dict[Holder, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def adopt(self, running: Iterable[PodState]) -> None:
        """Take over what the runtime shows."""
        with self._lock:
            for pod in running:
                for container in pod.containers:
                    if container.gpus:
                        self._held[pod.pod.uid, container.name] = container.gpus

    def take(self, pod: Object, container: Object, there: Iterable[str]) -> tuple[str, ...]:
        """The ids of the container's GPUs out of those that are `there`: the same at each of its starts.

        Raises:
            NoDevice: others hold too many.
        """
        wanted = asked_by(container)
        if not wanted:
            return ()
        uid, me = pod["metadata"]["uid"], (pod["metadata"]["uid"], container["name"])
        over = {(uid, c["name"]) for c in init_containers(pod) if not is_sidecar(c)}
        with self._lock:
            mine = self._held.get(me)
            if mine is not None and len(mine) == wanted and set(mine) <= set(there):
                return mine
            held = {id_ for who, ids in self._held.items() if who not in over | {me} for id_ in ids}
            # Those that an init container of this pod had come first.
            before = [id_ for who in sorted(over) for id_ in self._held.get(who, ())]
            free = [id_ for id_ in dict.fromkeys((*before, *there)) if id_ in set(there) - held]
            if len(free) < wanted:
                raise NoDevice(f"{GPU}: {wanted} asked for, {len(free)} of {len(set(there))} free")
            self._held[me] = tuple(free[:wanted])
            return self._held[me]

    def release(self, uid: str) -> None:
        """The pod is over."""
        with self._lock:
            self._held = {who: ids for who, ids in self._held.items() if who[0] != uid}


def asked_by(container: Object) -> int:
    """How many GPUs a container asks for."""
    return quantity.value(((container.get("resources") or {}).get("limits") or {}).get(GPU, 0))
