"""Folders that live as long as their pod (emptyDir), on the disk or in memory.

https://kubernetes.io/docs/concepts/storage/volumes/#emptydir; the size of one in memory as kubelet's
(pkg/volume/emptydir).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from app.objects import pod_resources, quantity
from app.objects.change import Object
from workers.agent.pod import containers
from workers.agent.volumes import ownership
from workers.runtime.host_mounts import HostMounts

MEMORY = "Memory"
OPEN_TO_ALL = 0o777


def make(folder: Path, source: Object, mounts: HostMounts | None, size: int, group: int | None) -> None:
    """Make the folder, or find it as it was left: what is in it stays.

    Args:
        mounts: for one in memory; None where nobody would see the difference. size: of one in memory, in bytes.
        group: whose it is to be; None: nobody's in particular.

    Raises:
        OSError: the machine refused. Doing it again goes on where this ended.
    """
    asked = source.get("mode")
    mode = (OPEN_TO_ALL if asked is None else int(asked)) | (0 if group is None else ownership.FOLDERS)
    if source.get("medium") == MEMORY and mounts is not None:
        folder.mkdir(parents=True, exist_ok=True)
        mounts.tmpfs(folder, size, mode, group)
    elif not folder.is_dir():
        # Under another name first (no volume is called like this): once it is there, it is all that it is to be.
        fresh = folder.with_name(f"..{folder.name}")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        if group is not None:
            os.chown(fresh, -1, group)
        fresh.chmod(mode)
        fresh.rename(folder)


def memory_size(pod: Object, source: Object, allocatable: int) -> int:
    """Bytes that a volume in memory may hold: no more than its sizeLimit, what all containers of the pod may use, and
    what the node has for pods. 0: nobody says."""
    bounds = [allocatable] if allocatable else []
    bounded = [(c.get("resources") or {}).get("limits") or {} for c in containers(pod)]
    whole = ((pod["spec"].get("resources") or {}).get("limits") or {}).get("memory")
    if whole or all(limits.get("memory") for limits in bounded):
        bounds.append(pod_resources.amounts(pod["spec"], "limits").get("memory", 0) // quantity.NANO)
    if source.get("sizeLimit") is not None:
        bounds.append(quantity.value(source["sizeLimit"]))
    return min((each for each in bounds if each > 0), default=0)


def limited(pod: Object) -> Iterator[tuple[str, int, str]]:
    """Those of the pod that hold no more than a limit by being looked at now and then: name, bytes, and the limit as
    it is written. One in memory has its limit for a size."""
    for volume in pod["spec"].get("volumes") or ():
        source = volume.get("emptyDir") or {}
        limit = source.get("sizeLimit")
        if limit is not None and quantity.value(limit) > 0:
            yield volume["name"], quantity.value(limit), quantity.canonical(limit)
