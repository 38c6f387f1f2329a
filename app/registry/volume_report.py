"""What a report changes about volumes: those that the node's agent has emptied may go."""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import change
from app.objects.change import Object, ReadView, Write
from app.objects.deletion import is_over
from app.objects.meta import with_meta
from app.objects.persistent import FINALIZER, VOLUMES, is_to_be_emptied


def volume_writes(view: ReadView, node: str, emptied: Iterable[Object]) -> list[Write]:
    """The writes that let volumes go. Of another node's volume, or one that nobody asked to have emptied, nothing is
    heard; reporting the same twice changes nothing."""
    writes = []
    for told in emptied:
        volume = view.get(VOLUMES, told["name"])
        if volume is None or volume["metadata"]["uid"] != told["uid"] or not is_to_be_emptied(volume, node):
            continue
        left = [each for each in volume["metadata"]["finalizers"] if each != FINALIZER]
        free = with_meta(volume, finalizers=left or None)
        over = is_over(VOLUMES, free)
        writes.append(change.delete(VOLUMES, free) if over else change.update(VOLUMES, free))
    return writes
