"""Mounts in the words of the engine's API, and what of them it knows at all.

https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Container/operation/ContainerCreate
"""

from __future__ import annotations

from typing import Any

import docker

from workers.runtime.docker.labels import Owner
from workers.runtime.features import Feature
from workers.runtime.host_mounts import HostMounts
from workers.runtime.mounts import BlockDevice, Mount, Propagation

_PROPAGATION = {
    Propagation.HOST_TO_CONTAINER: "rslave",
    Propagation.BIDIRECTIONAL: "rshared",
}
# Since this version of its API an engine can make a mount read-only with what is mounted below.
RECURSIVE = (1, 44)


def features(client: docker.APIClient, host_mounts: HostMounts) -> frozenset[Feature]:
    """Of the features of mounts those that this engine and this agent give."""
    found = set()
    if not host_mounts.lacking():
        found.add(Feature.MEMORY_VOLUMES)
    if tuple(int(part) for part in client.api_version.split(".")) >= RECURSIVE:
        found.add(Feature.RECURSIVE_READ_ONLY)
    return frozenset(found)


def device(wanted: BlockDevice) -> dict[str, Any]:
    """An entry of `HostConfig.Devices`."""
    return {
        "PathOnHost": wanted.source,
        "PathInContainer": wanted.target,
        "CgroupPermissions": "r" if wanted.read_only else "rwm",
    }


def mount(wanted: Mount, owner: Owner) -> dict[str, Any]:
    """An entry of `HostConfig.Mounts`."""
    if wanted.volume is not None:
        driver = {"Name": wanted.volume.driver, "Options": dict(wanted.volume.options)}
        return {
            "Type": "volume",
            "Source": wanted.volume.name,
            "Target": wanted.target,
            "ReadOnly": wanted.read_only,
            "VolumeOptions": {"NoCopy": True, "Labels": owner.of_volume(), "DriverConfig": driver},
        }
    options: dict[str, Any] = {}
    if wanted.propagation in _PROPAGATION:
        # Untold, an engine takes rprivate, but rslave for what its own folders lie in (`/`), where it insists on that.
        options["Propagation"] = _PROPAGATION[wanted.propagation]
    if wanted.read_only:
        # Engines that don't know these make what is mounted below read-only never.
        options["ReadOnlyForceRecursive" if wanted.recursive else "ReadOnlyNonRecursive"] = True
    return {
        "Type": "bind",
        "Source": wanted.source,
        "Target": wanted.target,
        "ReadOnly": wanted.read_only,
        "BindOptions": options,
    }
