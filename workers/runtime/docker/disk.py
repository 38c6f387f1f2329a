"""What a pod's containers take of the engine's disk (`workers.runtime.disk_usage.TellsDisk`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import docker
import docker.errors

from workers.runtime import disk_usage
from workers.runtime.docker import engine, labels
from workers.runtime.docker.engine import is_gone, translated
from workers.runtime.docker.labels import Owner
from workers.runtime.protocol import PodRef


def used(client: docker.APIClient, owner: Owner, pod: PodRef) -> Mapping[str, int]:
    """Bytes by container: what the engine says that it wrote, and its logs if they can be seen from here. Attempts that
    have ended count as long as they are kept. Raises ContainerError."""
    found: dict[str, int] = {}
    with translated(engine.UNAVAILABLE):
        entries = client.containers(all=True, size=True, filters=owner.filter(**{labels.POD_UID: pod.uid}))
        for entry in entries:
            name = entry["Labels"].get(labels.CONTAINER)
            if name:
                size = int(entry.get("SizeRw") or 0) + _logs(client, entry["Id"])
                found[name] = found.get(name, 0) + size
    return found


def _logs(client: docker.APIClient, container_id: str) -> int:
    try:
        path = client.inspect_container(container_id).get("LogPath") or ""
    except docker.errors.APIError as exc:
        if is_gone(exc):
            return 0
        raise
    return disk_usage.of_files(*Path(path).parent.glob(f"{Path(path).name}*")) if path else 0
