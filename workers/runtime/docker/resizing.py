"""Changing what running containers of a node are held to (`workers.runtime.resizing.Resizes`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import docker

from workers.runtime import resources
from workers.runtime.docker.cgroup import find
from workers.runtime.docker.engine import translated
from workers.runtime.resources import Limits


class Resizing:
    """See the module. `changed` is told of each container that was."""

    def __init__(self, client: docker.APIClient, changed: Callable[[str], None]) -> None:
        self._client, self._changed = client, changed

    def resize(self, container_id: str, limits: Limits) -> None:
        """See `Resizes.resize_container`."""
        asked: dict[str, Any] = {"cpu_shares": limits.cpu_shares}
        if limits.cpu_quota:
            asked |= {"cpu_period": resources.PERIOD, "cpu_quota": limits.cpu_quota}
        if limits.memory_bytes:
            asked |= {"mem_limit": limits.memory_bytes, "memswap_limit": limits.memory_bytes}
        with translated("ResizeError"):
            self._client.update_container(container_id, **asked)
        self._changed(container_id)

    def memory_in_use(self, container_id: str) -> int:
        """See `Resizes.memory_in_use`."""
        with translated("ResizeError"):
            pid = self._client.inspect_container(container_id)["State"]["Pid"]
        files = find(pid, container_id) if pid else None
        try:
            return files.read()[1] if files else 0
        except (OSError, ValueError, KeyError):
            return 0
