"""Parts of volumes, mounted for an engine that can only mount whole paths.

The engine follows links, so it can't be given the path of a part: whoever runs in the pod may put a link there that
leads out of the volume. The part itself is mounted at an empty place that only root can reach, the engine is given that
place, and as soon as the container has started, the place is removed again: the container keeps what it has mounted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from workers.runtime.beneath import LeadsOut
from workers.runtime.docker.labels import Owner
from workers.runtime.host_mounts import HostMounts
from workers.runtime.mounts import Mount
from workers.runtime.protocol import ContainerError, ContainerSpec, PodRef, Unsupported

# Not below the folder of the node: nobody who removes that one may ever come to what is mounted here.
PLACES = Path("/run/beanpole")


class SubPaths:
    """See the module. Args: mounts: how the machine's mounts are made."""

    def __init__(self, owner: Owner, mounts: HostMounts, places: Path = PLACES) -> None:
        self._mounts = mounts
        self._folder = places / owner.cluster / owner.node

    @contextlib.contextmanager
    def staged(self, pod: PodRef, spec: ContainerSpec) -> Iterator[ContainerSpec]:
        """The container with plain paths to mount, which are good until the end of the block.

        Raises:
            Unsupported: the agent may not mount. ContainerError: a part leads out of its volume, or is not there.
        """
        if not any(mount.sub_path for mount in spec.mounts):
            yield spec
            return
        place = self._folder / f"{pod.uid}.{spec.name}.{spec.attempt}"
        try:
            # One of an agent that was killed as it started this container.
            self._remove(place)
            yield replace(
                spec,
                mounts=tuple(self._stage(m, spec, place / str(n)) for n, m in enumerate(spec.mounts)),
            )
        finally:
            self._remove(place)

    def sweep(self) -> None:
        """Remove what agents of this node left that were killed as they started containers. Raises ContainerError."""
        for place in _entries(self._mounts, self._folder):
            self._remove(place)

    def end(self) -> None:
        """Remove all that this node has. Raises ContainerError."""
        self.sweep()
        for folder in (self._folder, self._folder.parent):
            # Other nodes of the cluster may still have theirs.
            with contextlib.suppress(OSError):
                self._mounts.there(folder.rmdir)

    @staticmethod
    def remove(cluster: str, places: Path = PLACES) -> None:
        """Remove what any node of a cluster has. Raises ContainerError."""
        mounts = HostMounts(engine=True)
        for node in _entries(mounts, places / cluster):
            SubPaths(Owner(cluster, node.name), mounts, places).end()

    def _stage(self, mount: Mount, spec: ContainerSpec, place: Path) -> Mount:
        if not mount.sub_path:
            return mount
        field = f"spec.containers[{spec.name}].volumeMounts[{mount.target}].subPath"
        lacking = self._mounts.lacking()
        if lacking:
            raise Unsupported(f"{field}: {lacking}")
        try:
            self._mounts.bind_beneath(Path(mount.source), mount.sub_path, place)
        except LeadsOut as exc:
            raise ContainerError(
                "CreateContainerConfigError",
                f'failed to prepare subPath for volumeMount "{mount.target}" of container "{spec.name}"',
            ) from exc
        except OSError as exc:
            raise ContainerError("CreateContainerConfigError", f"{field} {mount.sub_path!r}: {exc}") from exc
        return replace(mount, source=str(place), sub_path="")

    def _remove(self, place: Path) -> None:
        try:
            self._mounts.remove_stage(place)
        except OSError as exc:
            raise ContainerError("CreateContainerError", f"{place}: {exc}") from exc


def _entries(mounts: HostMounts, folder: Path) -> list[Path]:
    try:
        return mounts.there(lambda: list(folder.iterdir()))
    except (FileNotFoundError, PermissionError):
        # What is root's was made by root, whose next agent removes it.
        return []
