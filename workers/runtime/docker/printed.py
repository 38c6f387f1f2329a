"""What a container has printed, as the engine keeps it."""

from __future__ import annotations

from collections.abc import Iterator

import docker

from workers.runtime.docker.engine import translated
from workers.runtime.protocol import LogOptions


def printed(client: docker.APIClient, container_id: str, options: LogOptions) -> Iterator[bytes]:
    """Chunks of a container's log, but for its `limit_bytes`. Raises ContainerError: LogError."""
    with translated("LogError"):
        stream = client.logs(
            container_id,
            stream=True,
            follow=options.follow,
            timestamps=options.timestamps,
            tail="all" if options.tail is None else options.tail,
            since=options.since,
        )
        try:
            yield from stream
        finally:
            stream.close()
