"""What a node's containers use, on an engine: by the kernel's files where they can be read, else by asking it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
import docker.errors
from docker.utils import version_gte

from workers.runtime import machine_usage
from workers.runtime.cgroup_memory import working_set
from workers.runtime.docker import cgroup, config, engine, labels
from workers.runtime.docker.cgroup import Cgroup
from workers.runtime.docker.engine import is_conflict, is_gone, translated
from workers.runtime.docker.labels import Owner
from workers.runtime.protocol import ContainerUsage, Usage

# An engine may take a second for each answer, so several are asked for at once.
AT_ONCE = 8
# The version of the engine's API from which on it looks once if told to.
ONE_SHOT = "1.41"


class Meter:
    """Measures. Where a container's files are, and since when it runs, is asked once for each container."""

    def __init__(self, client: docker.APIClient, owner: Owner) -> None:
        self._client, self._owner = client, owner
        self._one_shot = True if version_gte(client.api_version, ONE_SHOT) else None
        self._known: dict[str, tuple[Cgroup | None, float]] = {}

    def measured(self) -> Usage:
        """Raises ContainerError if the engine can't be reached."""
        with translated(engine.UNAVAILABLE):
            listed = self._client.containers(filters=self._owner.filter())
        running = {e["Id"]: e["Labels"] for e in listed if labels.CONTAINER in e["Labels"]}
        places = {id_: self._known.get(id_) or self._place(id_) for id_ in running}
        known = {id_: place for id_, place in places.items() if place is not None}
        # Who evicts pods measures as well, at the same time.
        self._known = known
        found = []
        for id_, used in self._all(known).items():
            if used is not None:
                tags, since = running[id_], known[id_][1]
                found.append(ContainerUsage(labels.pod(tags), tags[labels.CONTAINER], id_, since, *used))
        return Usage(machine_usage.cpu(), machine_usage.memory(), tuple(found))

    def _all(self, known: dict[str, tuple[Cgroup | None, float]]) -> dict[str, tuple[int, int, int] | None]:
        found = {id_: _read(files) for id_, (files, _) in known.items() if files is not None}
        asked = [id_ for id_, (files, _) in known.items() if files is None]
        if asked:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                found.update(zip(asked, pool.map(self._ask, asked), strict=True))
        return found

    def _place(self, id_: str) -> tuple[Cgroup | None, float] | None:
        with translated(engine.UNAVAILABLE):
            try:
                shown = self._client.inspect_container(id_)
            except docker.errors.APIError as exc:
                if is_gone(exc):
                    return None
                raise
        pid = shown["State"]["Pid"]
        return (cgroup.find(pid, id_), config.state(shown).started_at) if pid else None

    def _ask(self, id_: str) -> tuple[int, int, int] | None:
        with translated(engine.UNAVAILABLE):
            try:
                # An engine that doesn't know the option answers, too, after it has looked twice.
                return of_stats(self._client.stats(id_, stream=False, one_shot=self._one_shot))
            except docker.errors.APIError as exc:
                if is_gone(exc) or is_conflict(exc):
                    return None
                raise


def _read(files: Cgroup) -> tuple[int, int, int] | None:
    try:
        return files.read()
    except (OSError, ValueError, KeyError):
        return None


def of_stats(said: dict[str, Any]) -> tuple[int, int, int] | None:
    """Nanoseconds of cpu, bytes of the working set, and processes out of GET /containers/<id>/stats; None if it has
    ended."""
    memory = said.get("memory_stats") or {}
    if "usage" not in memory:
        return None
    held = working_set(memory["usage"], memory.get("stats") or {})
    pids = (said.get("pids_stats") or {}).get("current") or 0
    return said["cpu_stats"]["cpu_usage"]["total_usage"], held, pids
