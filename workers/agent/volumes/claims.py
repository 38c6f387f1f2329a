"""From a pod's claim to what its containers mount: claim -> PersistentVolume -> a place on this machine.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#claims-as-volumes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.objects.change import Object
from app.objects.meta import uid
from app.objects.persistent import CLAIMS, DOCKER, VOLUMES, claims_of, holder_of, is_bound
from workers.agent.configuring.sources import ConfigError, NotYetKnown
from workers.agent.volumes import nfs
from workers.agent.volumes.folders import NotOurs, VolumeFolders
from workers.agent.volumes.host_path import check_host_path
from workers.runtime.mounts import EngineVolume

OPTION = "opt."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a volume lies: a folder or file of this machine, or a volume that the container engine mounts itself.
    `managed`: it is given to the group of a pod that has one (`fsGroup`). `block`: it is a device, and no file system."""

    path: Path | None = None
    engine: EngineVolume | None = None
    read_only: bool = False
    managed: bool = False
    block: bool = False


@dataclass(frozen=True, slots=True)
class Claims:
    """What finds the places of claims.

    Attributes:
        objects: as in `Sources`. folders: this node's own volumes. node: which one it is.
        engine: whether the runtime has an engine that mounts volumes. prefix: of the names of such volumes.
    """

    objects: Mapping[str, Object | None]
    folders: VolumeFolders
    node: str
    engine: bool
    prefix: str = "beanpole"

    def place(self, pod: Object, claim_name: str, read_only: bool, field: str) -> Place:
        """Where the claim's volume lies. `field` is the path of the pod's field that asks for it.

        Raises:
            NotYetKnown: the next exchange brings what is missing. ConfigError: it can't be mounted, or not yet.
            OSError: the machine refused.
        """
        namespace = pod["metadata"].get("namespace", "")
        key = f"{namespace}/{claim_name}"
        claim = self._object(CLAIMS, key)
        if claim is None:
            raise ConfigError(f'persistentvolumeclaim "{claim_name}" not found')
        if not is_bound(claim):
            raise ConfigError(f'PVC "{key}" is not bound')
        name = claim["spec"]["volumeName"]
        volume = self._object(VOLUMES, name)
        if volume is None:
            raise ConfigError(f'persistentvolume "{name}" not found')
        if (volume["spec"].get("claimRef") or {}).get("uid") != uid(claim):
            raise ConfigError(f'PV "{name}" is not bound to PVC "{key}"')
        # Which other labels the node has, the scheduler knows.
        if volume["spec"].get("nodeAffinity") and holder_of(volume) not in ("", self.node):
            raise ConfigError(
                f'volume "{name}" is on node {holder_of(volume)}: no matching NodeSelectorTerms'
            )
        return self._place(volume, read_only, field)

    def shares(self, pod: Object) -> list[str]:
        """The engine's volumes that only stand for NFS shares of the pod: removing one removes no data."""
        inline = [v for v in pod["spec"].get("volumes") or () if v.get("nfs")]
        names = [nfs.inline_name(pod, volume, self.prefix) for volume in inline]
        for claim_name in claims_of(pod):
            claim = self.objects.get(f"{CLAIMS} {pod['metadata'].get('namespace', '')}/{claim_name}")
            name = (claim.get("spec") or {}).get("volumeName") if claim else None
            volume = self.objects.get(f"{VOLUMES} {name}") if name else None
            if volume is not None and volume["spec"].get("nfs"):
                names.append(_engine_name(volume, self.prefix))
        return names

    def _object(self, resource: str, key: str) -> Object | None:
        known = f"{resource} {key}"
        if known not in self.objects:
            raise NotYetKnown(known)
        return self.objects[known]

    def _place(self, volume: Object, read_only: bool, field: str) -> Place:
        spec, name = volume["spec"], volume["metadata"]["name"]
        if spec.get("volumeMode") == "Block":
            return Place(_device(volume, field), read_only=read_only, block=True)
        if spec.get("hostPath"):
            check_host_path(spec["hostPath"])
            return Place(Path(spec["hostPath"]["path"]), read_only=read_only)
        if spec.get("local"):
            return Place(self._local(volume), read_only=read_only, managed=True)
        engine = _engine_volume(volume, self.prefix)
        if engine is None:
            kind = next((k for k in spec if isinstance(spec[k], dict) and k not in _NO_SOURCE), "unknown")
            raise ConfigError(f'{field}: volume "{name}" is of type {kind}, which is not supported')
        if not self.engine:
            kind = "nfs" if spec.get("nfs") else "csi"
            raise ConfigError(
                f'{field}: volume "{name}" is of type {kind}, which only the docker runtime can mount'
            )
        only = read_only or bool((spec.get("nfs") or spec.get("csi") or {}).get("readOnly"))
        return Place(engine=engine, read_only=only)

    def _local(self, volume: Object) -> Path:
        try:
            if self.folders.owns(volume):
                return self.folders.make(volume)
        except NotOurs as exc:
            raise ConfigError(str(exc)) from exc
        path = Path(volume["spec"]["local"]["path"])
        if not path.exists():
            raise ConfigError(f'local volume "{volume["metadata"]["name"]}": path "{path}" does not exist')
        return path


def _device(volume: Object, field: str) -> Path:
    """The block device that a volume is. Raises ConfigError."""
    source = volume["spec"].get("local") or volume["spec"].get("hostPath")
    if not source:
        raise ConfigError(f"{field}: of volumes of volumeMode Block only those of a path are supported")
    path = Path(source["path"])
    if not path.is_block_device():
        raise ConfigError(f"{path} is not a block device")
    return path


_NO_SOURCE = ("capacity", "claimRef", "nodeAffinity")


def _engine_volume(volume: Object, prefix: str) -> EngineVolume | None:
    """The volume as the engine's own, if it is one that the engine can mount."""
    spec, name = volume["spec"], _engine_name(volume, prefix)
    if spec.get("nfs"):
        return nfs.share(name, spec["nfs"], spec.get("mountOptions") or ())
    csi = spec.get("csi")
    if not csi or csi.get("driver") != DOCKER:
        return None
    given = csi.get("volumeAttributes") or {}
    pairs = {k.removeprefix(OPTION): str(v) for k, v in given.items() if k.startswith(OPTION)}
    return EngineVolume(name, given.get("driver") or "local", tuple(sorted(pairs.items())))


def _engine_name(volume: Object, prefix: str) -> str:
    # With a part of the uid: another volume of that name may come, with other options.
    return f"{prefix}_{volume['metadata']['name']}_{uid(volume)[:8]}"


def engine_name(volume: Object, prefix: str) -> str | None:
    """The name of the engine's volume that holds the data of a PersistentVolume of ours; None if it is none."""
    csi = volume["spec"].get("csi") or {}
    return _engine_name(volume, prefix) if csi.get("driver") == DOCKER else None
