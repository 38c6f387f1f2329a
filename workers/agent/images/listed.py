"""A node's images as its status lists them. Pure.

As kubelet: the 50 biggest (`nodeStatusMaxImages`), each with at most five names.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Object
from workers.runtime.image_store import StoredImage

MOST_IMAGES = 50
MOST_NAMES = 5


def listed(images: Iterable[StoredImage]) -> list[Object]:
    """`status.images` of the node, the biggest first."""
    named = [image for image in images if image.tags or image.digests]
    named.sort(key=lambda image: (-image.size, image.id))
    return [
        {"names": [*image.digests, *image.tags][:MOST_NAMES], "sizeBytes": image.size}
        for image in named[:MOST_IMAGES]
    ]
