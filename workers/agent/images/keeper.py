"""A node's images: which there are, for the node's status; which are removed when the disk fills up.

Only images that this node's agent pulled itself are ever removed (see `image_memory`): a machine's other images are
somebody's work.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from app.base.clock import Clock
from app.objects.change import Object
from workers.agent.exchange.notes import Notes
from workers.agent.images import collection as image_collection
from workers.agent.images import listed as node_images
from workers.agent.images.keyring import Key
from workers.agent.images.memory import ImageMemory, Pulled
from workers.agent.jobs import Jobs
from workers.runtime.image_store import ImageStore, StoredImage
from workers.runtime.images import Image
from workers.runtime.protocol import ContainerError

log = logging.getLogger("beanpole.agent")

# How often the images are listed, and how often it is seen whether the disk is full (kubelet: 5 minutes). Seconds.
LOOK = 60.0
COLLECT = 300.0
# How often it is told that the disk stays full. Seconds.
TELL = 3600.0


class ImageKeeper:
    """See the module.

    Args:
        path: where it is written what was pulled. high, low: percent of the disk (kubelet:
            imageGCHighThresholdPercent, imageGCLowThresholdPercent). report: there is something to say.
    """

    def __init__(
        self,
        node: str,
        store: ImageStore,
        path: Path,
        clock: Clock,
        jobs: Jobs,
        notes: Notes,
        high: int,
        low: int,
        report: Callable[[], None],
    ) -> None:
        self.store = store
        self.memory = ImageMemory(path)
        self._node: Object = {"kind": "Node", "metadata": {"name": node}}
        self._clock, self._jobs, self._notes, self._report = clock, jobs, notes, report
        self._high, self._low = high, low
        self._lock = threading.Lock()
        self._collected = clock.monotonic()
        self._told = -TELL
        self.listed: list[Object] = []

    def begin(self) -> None:
        """Look after the images from now on."""
        self._look_in(0.0)

    def pulled(self, image: Image, found: StoredImage, key: Key | None, *, new: bool, named: bool) -> None:
        """It was pulled with that login. See `ImageMemory.note`."""
        mine = named and self.memory.owns(image.reference)
        self.memory.note(image, found, key, self._clock.now(), new=new, named=named and not mine)
        self._look_in(0.0)

    def free_images(self, bytes_wanted: int) -> int:
        """Remove images that nobody uses, until so many bytes are free or none is left. Returns how many bytes
        were. Raises ContainerError: the engine can't be reached, or refused one."""
        with self._lock:
            now = self._clock.now()
            in_use = self.store.in_use()
            self.memory.used(in_use, now)
            freed, refused = 0, []
            for each in image_collection.candidates(self.memory.all(), in_use, self.store.pinned(), now):
                if freed >= bytes_wanted:
                    break
                try:
                    freed += self._remove(each)
                except ContainerError as exc:
                    refused.append(exc.message)
        if freed:
            self._look_in(0.0)
        if refused:
            raise ContainerError(
                "ImageGCFailed",
                f"wanted to free {bytes_wanted} bytes, but freed {freed} bytes space with errors in image "
                f"deletion: [{', '.join(refused)}]",
            )
        return freed

    def look(self) -> None:
        """List the images; and now and then see whether the disk is too full."""
        try:
            self._list()
            if len(self.memory):
                self.memory.used(self.store.in_use(), self._clock.now())
            if self._clock.monotonic() - self._collected >= COLLECT:
                self._collected = self._clock.monotonic()
                self.collect()
        except ContainerError as exc:
            log.debug("%s: images can't be looked at: %s", self._node["metadata"]["name"], exc.message)
        finally:
            self._look_in(LOOK)

    def collect(self) -> None:
        """Make room if the disk is too full."""
        try:
            disk = self.store.disk()
            asked = image_collection.wanted(disk, self._high, self._low) if disk else 0
            if not asked:
                self._told = -TELL
                return
            freed = self.free_images(asked)
        except ContainerError as exc:
            self._tell("ImageGCFailed", exc.message)
            return
        log.info("%s: freed %d of %d bytes", self._node["metadata"]["name"], freed, asked)
        now = self._clock.monotonic()
        if freed < asked and now - self._told >= TELL:
            # Of a disk that is full of other things nobody wants to hear every few minutes.
            self._told = now
            self._tell("FreeDiskSpaceFailed", image_collection.too_little(asked, freed))

    def _remove(self, image: Pulled) -> int:
        """Take its names away, and it goes unless it has others. Returns the bytes that are free now. Raises
        ContainerError."""
        for name in image.names:
            self.store.remove(name)
        left = {each.id: each for each in self.store.all()}.get(image.id)
        if left is not None and not left.tags:
            self.store.remove(image.id)
            left = None
        self.memory.forget([image.id])
        log.info(
            "%s: removed the image %s", self._node["metadata"]["name"], ", ".join(image.names) or image.id
        )
        return 0 if left is not None else image.size

    def _list(self) -> None:
        found = self.store.all()
        ids = {each.id for each in found}
        self.memory.forget([each.id for each in self.memory.all() if each.id not in ids])
        self.listed = node_images.listed(found)

    def _look_in(self, delay: float) -> None:
        self._jobs.after(("images", self._node["metadata"]["name"]), delay, self.look, "stop")

    def _tell(self, reason: str, message: str) -> None:
        self._notes.tell(self._node, reason, message, warning=True)
        self._report()
