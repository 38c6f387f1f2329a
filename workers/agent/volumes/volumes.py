"""A pod's volumes, as folders of the machine.

emptyDir, configMap, secret, downwardAPI and projected live under `<state_dir>/pods/<node>/<uid>/volumes/<name>`;
hostPath is what it names, and what a claim leads to says `claims`.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.base.trees import remove_tree
from app.objects.change import Object
from app.objects.persistent import claim_of
from workers.agent.configuring.sources import ConfigError, NotYetKnown, Sources
from workers.agent.volumes import content as volume_content
from workers.agent.volumes import empty_dirs, nfs, ownership
from workers.agent.volumes import mounts as volume_mounts
from workers.agent.volumes.atomic_files import write_atomically
from workers.agent.volumes.claims import Claims, Place
from workers.agent.volumes.host_path import check_host_path
from workers.runtime.features import Feature
from workers.runtime.host_mounts import HostMounts
from workers.runtime.mounts import BlockDevice, Mount

CLAIMED = ("persistentVolumeClaim", "ephemeral")


class SetUpFailed(ConfigError):
    """Volumes could not be made. `messages`: one for each, as kubelet says it in the Event FailedMount."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Means:
    """What a node has for volumes.

    Attributes:
        features: its runtime's. memory: bytes that its pods may have; 0: not known.
        mounts: makes mounts on the machine; None where containers would see nothing of them.
        prefix: what names of the engine's volumes begin with.
    """

    features: frozenset[Feature] = frozenset()
    memory: int = 0
    mounts: HostMounts | None = None
    prefix: str = "beanpole"


class Volumes:
    """The volumes of one pod.

    Args:
        root: the pod's own folder, `<state_dir>/pods/<node>/<uid>`. claims: finds what its claims lead to.
    """

    def __init__(
        self, root: Path, pod: Object, claims: Claims | None = None, means: Means | None = None
    ) -> None:
        self._root = root / "volumes"
        self._given = root / "given"
        self._pod, self._claims, self._means = pod, claims, means or Means()
        self._places: dict[str, Place] = {}
        self._volumes: dict[str, Object] = {v["name"]: v for v in pod["spec"].get("volumes") or ()}
        self._group = ownership.group_of(pod) if Feature.GROUPS in self._means.features else None

    def folder(self, name: str) -> Path:
        """Where a volume of the pod's own lies."""
        return self._root / name

    def write(self, sources: Sources) -> None:
        """Make all volumes, and bring those drawn from objects up to date.

        Raises:
            SetUpFailed: they can't be had, or not yet. NotYetKnown: what they draw on has not come yet.
        """
        self._each(sources, list(self._volumes))

    def refresh(self, sources: Sources) -> None:
        """Bring those drawn from objects up to date. Raises as `write`."""
        self._each(sources, [name for name, v in self._volumes.items() if volume_content.kind_of(v)])

    def _each(self, sources: Sources, names: list[str]) -> None:
        failed, unknown = [], None
        for index, (name, volume) in enumerate(self._volumes.items()):
            if name not in names:
                continue
            try:
                self._make(name, volume, f"spec.volumes[{index}]", sources)
            except NotYetKnown as exc:
                unknown = exc
            except (ConfigError, OSError) as exc:
                failed.append(f'MountVolume.SetUp failed for volume "{name}" : {exc}')
        if failed:
            raise SetUpFailed(failed)
        if unknown is not None:
            raise unknown

    def _make(self, name: str, volume: Object, field: str, sources: Sources) -> None:
        """Raises ConfigError, NotYetKnown, OSError."""
        if any(kind in volume for kind in CLAIMED):
            self._on_machine(lambda: self._claim(name, volume, field))
        elif volume_content.kind_of(volume):
            if sources.tokens is None and volume_content.has_token(volume):
                return  # nobody here could read it
            write_atomically(self._root / name, volume_content.content(volume, sources), self._group)
        elif "hostPath" in volume:
            self._on_machine(lambda: check_host_path(volume["hostPath"]))
            self._places[name] = Place(Path(volume["hostPath"]["path"]))
        elif "nfs" in volume:
            own = nfs.inline_name(self._pod, volume, self._means.prefix)
            read_only = bool(volume["nfs"].get("readOnly"))
            self._places[name] = Place(engine=nfs.share(own, volume["nfs"]), read_only=read_only)
        else:
            source = volume.get("emptyDir") or {}
            size = empty_dirs.memory_size(self._pod, source, self._means.memory)
            empty_dirs.make(self._root / name, source, self._means.mounts, size, self._group)

    def _on_machine(self, action: Callable[[], None]) -> None:
        """Do it where the machine's paths are what containers have mounted."""
        if self._means.mounts is None:
            action()
        else:
            self._means.mounts.there(action)

    def _claim(self, name: str, volume: Object, field: str) -> None:
        self._places[name] = self._claimed(volume, field)
        self._give(name, self._places[name])

    def _claimed(self, volume: Object, field: str) -> Place:
        if self._claims is None:
            raise ConfigError(f"{field}: claims can't be mounted here")
        read_only = bool((volume.get("persistentVolumeClaim") or {}).get("readOnly"))
        kind = next(kind for kind in CLAIMED if kind in volume)
        return self._claims.place(self._pod, claim_of(self._pod, volume), read_only, f"{field}.{kind}")

    def _give(self, name: str, place: Place) -> None:
        """Give what a claim leads to to the pod's group, once for each pod."""
        if self._group is None or place.path is None or not place.managed or place.read_only:
            return
        done = self._given / name
        if done.exists() or not place.path.is_dir():
            return
        if ownership.always(self._pod) or not ownership.belongs_to(place.path, self._group):
            ownership.give(place.path, self._group)
        done.parent.mkdir(parents=True, exist_ok=True)
        done.touch()

    def mounts(self, container: Object, variables: Mapping[str, str] | None = None) -> tuple[Mount, ...]:
        """What the container sees of them, the outermost folder first. `variables`: the container's.

        Raises:
            ConfigError: it mounts a volume that the pod doesn't have, or its part of one can't be had.
        """
        found = []
        for asked in container.get("volumeMounts") or ():
            volume = self._volumes.get(asked["name"])
            if volume is None:
                raise ConfigError(f'no volume with name "{asked["name"]}" in the pod')
            place = self._places.get(asked["name"]) or Place(self._root / asked["name"])
            if place.block:
                raise ConfigError(
                    f"volume {asked['name']} has volumeMode Block, but is specified in volumeMounts"
                )
            content = bool(volume_content.kind_of(volume))
            made = volume_mounts.mount(asked, place, content, variables or {}, self._means.features)
            if made.sub_path:
                make = functools.partial(volume_mounts.make, made, asked["name"], container["name"])
                self._on_machine(make)
            found.append(made)
        return tuple(sorted(found, key=lambda m: m.target))

    def devices(self, container: Object) -> tuple[BlockDevice, ...]:
        """The block devices that the container has. Raises ConfigError: one of its volumes is none."""
        found = []
        for asked in container.get("volumeDevices") or ():
            place = self._places.get(asked["name"], Place())
            if place.path is None or not place.block:
                raise ConfigError(
                    f"volume {asked['name']} has volumeMode Filesystem, but is specified in volumeDevices"
                )
            found.append(BlockDevice(str(place.path), asked["devicePath"], place.read_only))
        return tuple(found)


def remove(root: Path, mounts: HostMounts | None = None) -> None:
    """Remove a pod's folder with what is mounted in it. Already gone is no error.

    Raises:
        OSError: something mounted in it can't be unmounted, and nothing is removed; or something can't be removed, and
            all else is.
    """
    if mounts is not None:
        mounts.clear(root)
    with contextlib.suppress(FileNotFoundError):
        remove_tree(root)
