"""What a container has printed: read from the engine's files where they can be, else asked of the engine.

Asked for a log, the engine sends a frame for each line, which costs it and us far more than reading its file does
(docs/decisions/0033-logs-from-files.md).
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import docker.errors

from app.base.clock import Clock
from workers.runtime import log_files
from workers.runtime.docker.cgroup import holds
from workers.runtime.docker.engine import is_gone, translated
from workers.runtime.docker.json_log import JsonLog
from workers.runtime.protocol import LogOptions


def printed(
    client: docker.APIClient, container_id: str, options: LogOptions, clock: Clock
) -> Iterator[bytes]:
    """Chunks of a container's log. Raises ContainerError: LogError."""
    with translated("LogError"):
        shown = client.inspect_container(container_id)
    path = _file(shown)
    if path is None:
        return log_files.limited(_asked(client, container_id, options), options.limit_bytes)
    return log_files.read(path, JsonLog(), options, _End(client, container_id, shown, clock))


def _file(shown: dict[str, Any]) -> Path | None:
    """Where the engine writes the log, if that is on this machine and may be read."""
    kind = ((shown.get("HostConfig") or {}).get("LogConfig") or {}).get("Type")
    path = shown.get("LogPath") or ""
    return Path(path) if kind == "json-file" and path and os.access(path, os.R_OK) else None


class _End:
    """Waits for a container's end without asking the engine all the time: its process is on this machine."""

    def __init__(self, client: docker.APIClient, container: str, shown: dict[str, Any], clock: Clock) -> None:
        self._client, self._container, self._clock = client, container, clock
        self._running, self._pid = bool(shown["State"]["Running"]), int(shown["State"]["Pid"] or 0)

    def __call__(self, seconds: float) -> bool:
        if self._running and self._gone(seconds):
            with translated("LogError"):
                try:
                    state = self._client.inspect_container(self._container)["State"]
                    self._running = bool(state["Running"])
                except docker.errors.APIError as exc:
                    if not is_gone(exc):
                        raise
                    self._running = False
        return not self._running

    def _gone(self, seconds: float) -> bool:
        """Whether the process has ended; or can't be seen, so that the engine is to be asked."""
        try:
            process = os.pidfd_open(self._pid)
        except (OSError, ValueError):
            self._clock.sleep(seconds)
            return True
        try:
            if not holds(self._pid, self._container):
                # Another one has that number here.
                self._clock.sleep(seconds)
                return True
            poll = select.poll()
            poll.register(process, select.POLLIN)
            return bool(poll.poll(seconds * 1000))
        finally:
            os.close(process)


def _asked(client: docker.APIClient, container_id: str, options: LogOptions) -> Iterator[bytes]:
    """The log as the engine sends it, but for its `limit_bytes`."""
    with translated("LogError"):
        stream = client.logs(
            container_id,
            stream=True,
            follow=options.follow,
            timestamps=options.timestamps,
            tail="all" if options.tail is None else options.tail,
            # The SDK takes no time before the year 1970, when nothing was printed yet.
            since=options.since if options.since and options.since > 0 else None,
        )
        try:
            yield from stream
        finally:
            stream.close()
