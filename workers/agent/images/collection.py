"""Which images are removed when the disk fills up, as kubelet decides it. Pure.

https://kubernetes.io/docs/concepts/architecture/garbage-collection/#container-image-lifecycle
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from workers.agent.images.memory import Pulled
from workers.runtime.image_store import Disk

# An image younger than this was perhaps pulled for a container that is about to start. Seconds (kubelet:
# imageMinimumGCAge).
MIN_AGE = 120.0


def wanted(disk: Disk, high: int, low: int) -> int:
    """How many bytes are to be freed: 0 while less than `high` percent are used, else as many as bring that down to
    `low` percent."""
    if disk.capacity <= 0 or 100 - disk.available * 100 // disk.capacity < high:
        return 0
    return max(0, disk.capacity * (100 - low) // 100 - disk.available)


def candidates(
    images: Iterable[Pulled], in_use: Collection[str], pinned: Collection[str], now: float
) -> list[Pulled]:
    """The images that may go, those first that were unused for longest; of them the oldest first."""
    free = [
        each
        for each in images
        if each.id not in in_use and now - each.pulled >= MIN_AGE and not set(each.names) & set(pinned)
    ]
    return sorted(free, key=lambda each: (each.used, each.pulled, each.id))


def too_little(asked: int, freed: int) -> str:
    """In kubelet's words: not enough could be removed."""
    return (
        "Failed to garbage collect required amount of images. "
        f"Attempted to free {asked} bytes, but only found {freed} bytes eligible to free."
    )
