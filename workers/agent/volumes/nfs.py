"""Shares of NFS servers, which the container engine mounts by its local driver.

https://kubernetes.io/docs/concepts/storage/volumes/#nfs
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Object
from workers.runtime.mounts import EngineVolume


def share(name: str, source: Object, options: Iterable[str] = ()) -> EngineVolume:
    """The engine's volume that stands for a share. Args: source: its `server`, `path` and `readOnly`."""
    mode = "ro" if source.get("readOnly") else "rw"
    wanted = ",".join((f"addr={source['server']}", mode, *options))
    return EngineVolume(name, "local", (("device", f":{source['path']}"), ("o", wanted), ("type", "nfs")))


def inline_name(pod: Object, volume: Object, prefix: str) -> str:
    """The name of the engine's volume for a share that the pod itself names."""
    return f"{prefix}_{pod['metadata']['uid']}_{volume['name']}"
