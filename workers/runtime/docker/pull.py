"""Having images: looked up, or pulled, each by one thread at a time."""

from __future__ import annotations

import threading

import docker
import docker.errors

from workers.runtime import images
from workers.runtime.docker.engine import is_gone, translated
from workers.runtime.protocol import ContainerError


class Images:
    """The engine's images."""

    def __init__(self, client: docker.APIClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._pulling: dict[str, threading.Lock] = {}
        self._present: set[str] = set()

    def ensure(self, name: str, policy: str) -> str:
        """See `protocol.Runtime.ensure_image`."""
        image = images.parse(name)
        if policy != "Always" and self._has(name):
            return images.PRESENT
        if policy == "Never":
            raise ContainerError(
                "ErrImageNeverPull", f'Container image "{name}" is not present with pull policy of Never'
            )
        with self._turn(name):
            # Whoever had the turn before may have pulled it.
            if policy != "Always" and self._has(name):
                return images.PRESENT
            self._pull(name, image)
        return images.PULLED

    def forget(self, name: str) -> None:
        """The engine said it has no such image."""
        self._present.discard(name)

    def _has(self, name: str) -> bool:
        if name in self._present:
            return True
        with translated("ImageInspectError"):
            try:
                self._client.inspect_image(name)
            except docker.errors.APIError as exc:
                if is_gone(exc):
                    return False
                raise
        self._present.add(name)
        return True

    def _pull(self, name: str, image: images.Image) -> None:
        with translated("ErrImagePull"):
            for line in self._client.pull(image.name, image.digest or image.tag, stream=True, decode=True):
                if "error" in line:
                    raise ContainerError("ErrImagePull", f'failed to pull image "{name}": {line["error"]}')
        self._present.add(name)

    def _turn(self, name: str) -> threading.Lock:
        with self._lock:
            return self._pulling.setdefault(name, threading.Lock())
