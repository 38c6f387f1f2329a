"""What pods take of their node's disk, and which of them take more than they may.

https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#local-ephemeral-storage: counted are what
containers write outside their volumes, their logs, and emptyDir volumes on the disk. A pod that takes more than
`limits.ephemeral-storage` of a container or of all, or a volume's `sizeLimit`, is evicted. Only pods with such a limit
are looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from app.objects import pod_resources, quantity
from app.objects.change import Object
from workers.agent.jobs import Jobs
from workers.agent.pod import containers, ref
from workers.agent.pressure import eviction
from workers.agent.pressure.ending import evict, is_over
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.agent.volumes import empty_dirs
from workers.runtime import disk_usage
from workers.runtime.disk_usage import TellsDisk
from workers.runtime.protocol import AnswersProbes, ContainerError

log = logging.getLogger("beanpole.agent")

# How often pods with limits are looked at (kubelet: monitoringInterval of its eviction manager). Seconds.
LOOK = 10.0
DISK = "ephemeral-storage"
# What a volume is called among the names of containers, which have no slash.
VOLUME = "volume/"
Used = Mapping[str, int]


class DiskWatch:
    """Looks now and then, aside from everything else.

    Args:
        records: the node's pods. wake: look at one of them.
    """

    def __init__(
        self,
        around: Surroundings,
        jobs: Jobs,
        records: Callable[[], Collection[Record]],
        wake: Callable[[str], None],
    ) -> None:
        self._around, self._jobs, self._records, self._wake = around, jobs, records, wake

    def begin(self) -> None:
        """Look from now on. Where nothing is written there is nothing to look at."""
        if not isinstance(self._around.runtime, AnswersProbes):
            self._again()

    def _again(self) -> None:
        self._jobs.after(("disk", self._around.node), LOOK, lambda: self._jobs.beside(self._run))

    def _run(self) -> None:
        try:
            self.look()
        finally:
            self._again()

    def look(self) -> None:
        """Evict who takes too much."""
        for record in self._records():
            if record.unknown or is_over(record) or not is_limited(record.pod):
                continue
            why = too_much(record.pod, self.used(record))
            if why and evict(self._around, record, why, disrupted=False):
                self._wake(record.uid)

    def used(self, record: Record) -> Used:
        """Bytes by container, and by volume as `volume/<name>`."""
        pod, runtime = record.pod, self._around.runtime
        found: dict[str, int] = {}
        if isinstance(runtime, TellsDisk):
            try:
                found.update(runtime.disk_used(ref(pod)))
            except ContainerError as exc:
                log.debug("%s: what it takes of the disk can't be told: %s", record.uid, exc.message)
        root = self._around.folder(record.uid) / "volumes"
        for volume in pod["spec"].get("volumes") or ():
            if is_on_disk(volume):
                found[VOLUME + volume["name"]] = of_volume(root, volume["name"])
        return found


def of_volume(root: Path, name: str) -> int:
    """Bytes that an emptyDir takes. `root`: the folder of the pod's volumes."""
    return disk_usage.of_folder(root / name)


def is_on_disk(volume: Object) -> bool:
    """Whether it is an emptyDir that takes room on the disk."""
    return volume.get("emptyDir") is not None and volume["emptyDir"].get("medium") != empty_dirs.MEMORY


def is_limited(pod: Object) -> bool:
    """Whether the pod may take only so much."""
    return any(_limit(c) is not None for c in containers(pod)) or any(True for _ in empty_dirs.limited(pod))


def too_much(pod: Object, used: Used) -> str:
    """Why the pod is to be evicted; empty: it isn't. In kubelet's order and words."""
    for name, limit, shown in empty_dirs.limited(pod):
        if used.get(VOLUME + name, 0) > limit:
            return eviction.volume_too_large(name, shown)
    whole = pod_resources.amounts(pod["spec"], "limits").get(DISK)
    if whole is not None and sum(used.values()) > whole // quantity.NANO:
        return eviction.pod_too_large(pod_resources.shown(DISK, whole))
    for container in containers(pod):
        own = _limit(container)
        if own is not None and used.get(container["name"], 0) > quantity.value(own):
            return eviction.container_too_large(container["name"], quantity.canonical(own))
    return ""


def _limit(container: Object) -> str | None:
    found = ((container.get("resources") or {}).get("limits") or {}).get(DISK)
    return None if found is None else str(found)
