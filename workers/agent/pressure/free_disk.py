"""Removing from the disk what no pod needs: containers of pods that are done, and images that nobody uses.

https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#reclaim-node-resources
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from app.objects.pods import is_terminal
from workers.agent.pod import ref
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import ContainerError, State

log = logging.getLogger("beanpole.agent")

# More than any disk holds. Bytes.
ALL = 1 << 62


def free_disk(around: Surroundings, records: Collection[Record]) -> None:
    """Remove all of it. The logs of containers go with them; how they ended, the API knows."""
    for record in records:
        if is_terminal(record.pod) and not record.finished:
            try:
                _remove_dead(around, record)
            except ContainerError as exc:
                log.warning("%s: dead containers stay: %s", record.pod["metadata"]["name"], exc.message)
    if around.image_keeper is not None:
        try:
            around.image_keeper.free_images(ALL)
        except ContainerError as exc:
            log.warning("%s: images stay: %s", around.node, exc.message)


def _remove_dead(around: Surroundings, record: Record) -> None:
    state = around.runtime.pod(record.uid)
    for container in state.containers if state else ():
        if container.state is State.EXITED:
            around.runtime.remove_container(ref(record.pod), container.id)
