"""The engine's images."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import docker
import docker.errors

from workers.runtime import images
from workers.runtime.docker import pause
from workers.runtime.docker.engine import UNAVAILABLE, is_conflict, is_gone, translated
from workers.runtime.docker.pull import pull
from workers.runtime.image_store import Disk, Login, StoredImage, Transfer
from workers.runtime.images import Image
from workers.runtime.protocol import ContainerError

INSPECT = "ImageInspectError"


class Images:
    """`image_store.ImageStore` of an engine. What was found once is not asked for again."""

    def __init__(self, client: docker.APIClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._found: dict[str, StoredImage] = {}
        self._by_id: dict[str, StoredImage] = {}
        self._root: Path | None = None

    def find(self, image: Image) -> StoredImage | None:
        known = self._found.get(image.reference)
        return known if known is not None else self._look(image.reference)

    def pull(self, image: Image, login: Login | None, transfer: Transfer) -> StoredImage:
        pull(self._client, image, login, transfer)
        found = self._look(image.reference)
        if found is None:
            raise ContainerError("ErrImagePull", f'image "{image.shown}" was removed as it was pulled')
        return found

    def forget(self, image: Image) -> None:
        self._found.pop(image.reference, None)

    def all(self) -> list[StoredImage]:
        with translated(INSPECT):
            listed = self._client.images()
        return [_stored(entry) for entry in listed]

    def in_use(self) -> set[str]:
        with translated(UNAVAILABLE):
            return {entry["ImageID"] for entry in self._client.containers(all=True)}

    def pinned(self) -> set[str]:
        return {pause.IMAGE, pause.FALLBACK}

    def remove(self, name: str) -> None:
        with translated("ImageRemoveError"):
            try:
                self._client.remove_image(name)
            except docker.errors.APIError as exc:
                if not is_gone(exc):
                    raise
        with self._lock:
            # Without one of its names, it may be gone under the others, too.
            gone = {
                held.id
                for key, held in self._found.items()
                if name in (key, held.id, *held.tags, *held.digests)
            }
            self._found = {key: held for key, held in self._found.items() if held.id not in gone}
            self._by_id = {id_: held for id_, held in self._by_id.items() if id_ not in gone | {name}}

    def disk(self) -> Disk | None:
        if self._root is None:
            with translated(UNAVAILABLE):
                self._root = Path(self._client.info().get("DockerRootDir") or "/var/lib/docker")
        try:
            shown = os.statvfs(self._root)
        except OSError:
            return None
        return Disk(shown.f_blocks * shown.f_frsize, shown.f_bavail * shown.f_frsize)

    def shown(self, asked: str, image_id: str) -> tuple[str, str]:
        """An image as container statuses show it: its name, and `docker-pullable://` with the digest by which a
        registry knows it, or `docker://` with its id if it never came from one. Costs nothing for one that was seen
        before."""
        found = self._by_id.get(image_id)
        if found is None:
            try:
                found = self._look(image_id)
            except ContainerError:
                found = None
        try:
            image = images.parse(asked)
        except ContainerError:
            return asked, f"docker://{image_id}"
        digests = found.digests if found else ()
        own = [digest for digest in digests if digest.startswith(f"{image.name}@")]
        best = next(iter(own or digests), "")
        return image.shown, f"docker-pullable://{best}" if best else f"docker://{image_id}"

    def user(self, name: str) -> str:
        """Whom the image says it runs as; empty is root. Raises docker.errors.APIError."""
        return str((self._client.inspect_image(name).get("Config") or {}).get("User") or "")

    def _look(self, name: str) -> StoredImage | None:
        with translated(INSPECT):
            try:
                found = _stored(self._client.inspect_image(name))
            except docker.errors.APIError as exc:
                if is_gone(exc) or is_conflict(exc):
                    return None
                raise
        with self._lock:
            self._by_id[found.id] = found
            if name != found.id:
                self._found[name] = found
        return found


def _stored(entry: dict[str, Any]) -> StoredImage:
    tags = tuple(tag for tag in entry.get("RepoTags") or () if tag != "<none>:<none>")
    digests = tuple(digest for digest in entry.get("RepoDigests") or () if not digest.startswith("<none>@"))
    return StoredImage(entry["Id"], tags, digests, int(entry.get("Size") or 0))
