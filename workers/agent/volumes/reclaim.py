"""Volumes that are nobody's any more: this node's agent removes their data, and says so with the next exchange.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#delete
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from app.objects.change import Object
from app.objects.meta import uid
from app.objects.persistent import is_to_be_emptied
from workers.agent.jobs import Jobs
from workers.agent.surroundings import Surroundings
from workers.agent.volumes.claims import engine_name
from workers.agent.volumes.folders import NotOurs
from workers.runtime.protocol import ContainerError, HasVolumes

log = logging.getLogger("beanpole.agent")

# Pauses before the data of a volume is tried to be removed again. Seconds.
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 300.0


class Reclaimer:
    """See the module. Args: report: there is something to say."""

    def __init__(self, around: Surroundings, jobs: Jobs, report: Callable[[], None]) -> None:
        self._around, self._jobs, self._report = around, jobs, report
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._done: dict[str, Object] = {}

    @property
    def emptied(self) -> list[Object]:
        """What is to be said: `{name, uid}` of volumes that are empty."""
        with self._lock:
            return list(self._done.values())

    def accepted(self, emptied: Iterable[Object]) -> None:
        """The API has heard it."""
        with self._lock:
            for each in emptied:
                self._done.pop(each["uid"], None)

    def asked(self, volumes: Iterable[Object]) -> None:
        """These volumes are to be emptied. Being asked twice does no harm."""
        for volume in volumes:
            if not is_to_be_emptied(volume, self._around.node):
                continue
            with self._lock:
                if uid(volume) in self._busy or uid(volume) in self._done:
                    continue
                self._busy.add(uid(volume))
            self._later(volume, 0.0)

    def _later(self, volume: Object, delay: float) -> None:
        pause = min(max(FIRST_PAUSE, delay * 2), LONGEST_PAUSE)
        key = ("volume", self._around.node, uid(volume))
        self._jobs.after(key, delay, lambda: self._empty(volume, pause), "stop")

    def _empty(self, volume: Object, pause: float) -> None:
        meta = volume["metadata"]
        try:
            self._remove(volume)
        except (NotOurs, OSError, ContainerError) as exc:
            log.warning(
                "%s: the data of volume %s could not be removed: %s", self._around.node, meta["name"], exc
            )
            self._around.notes.tell(volume, "VolumeFailedDelete", str(exc), warning=True)
            self._report()
            self._later(volume, pause)
            return
        with self._lock:
            self._busy.discard(uid(volume))
            self._done[uid(volume)] = {"name": meta["name"], "uid": uid(volume)}
        log.info("%s: removed the data of volume %s", self._around.node, meta["name"])
        self._report()

    def _remove(self, volume: Object) -> None:
        """Raises NotOurs, OSError, ContainerError."""
        name = engine_name(volume, self._around.volume_prefix)
        if name is None:
            self._around.volume_folders.remove(volume)
            return
        runtime = self._around.runtime
        if not isinstance(runtime, HasVolumes):
            raise NotOurs(f"the {runtime.name} runtime has no volumes of its own")
        runtime.remove_volume(name)
