"""Removing containers and pods from the engine, until they are gone."""

from __future__ import annotations

import shutil

import docker
import docker.errors

from app.base.clock import Clock
from workers.runtime.docker import labels
from workers.runtime.docker.engine import is_conflict, is_gone, translated
from workers.runtime.docker.files import PodFiles
from workers.runtime.docker.labels import Owner
from workers.runtime.protocol import PodRef

# How long a removal that the engine already has under way may take, in seconds.
REMOVAL_WAIT = 30.0


class Removal:
    """Removes what a node has on the engine."""

    def __init__(self, client: docker.APIClient, owner: Owner, files: PodFiles, clock: Clock) -> None:
        self._client, self._owner, self._files, self._clock = client, owner, files, clock

    def pod(self, pod: PodRef) -> None:
        """All that is left of the pod. Raises ContainerError."""
        with translated("KillPodSandboxError"):
            entries = self._client.containers(
                all=True, quiet=False, filters=self._owner.filter(**{labels.POD_UID: pod.uid})
            )
        # The sandbox last: as long as it is there, a restarted agent finds the pod.
        for entry in sorted(entries, key=lambda e: labels.CONTAINER not in e["Labels"]):
            self.container(entry["Id"])
        shutil.rmtree(self._files.folder(pod.uid), ignore_errors=True)

    def container(self, container: str) -> None:
        """Kill and remove; returns once it is gone. Raises ContainerError."""
        deadline = self._clock.monotonic() + REMOVAL_WAIT
        with translated("RemoveContainerError"):
            while True:
                try:
                    self._client.remove_container(container, v=True, force=True)
                    return
                except docker.errors.APIError as exc:
                    if is_gone(exc):
                        return
                    # Another call removes it already.
                    if not is_conflict(exc) or self._clock.monotonic() > deadline:
                        raise
                    self._clock.sleep(0.02)

    def volume(self, name: str) -> None:
        """A volume and its data. Raises ContainerError."""
        with translated("VolumeFailedDelete"):
            try:
                self._client.remove_volume(name)
            except docker.errors.APIError as exc:
                if not is_gone(exc):
                    raise
