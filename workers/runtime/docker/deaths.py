"""The engine's stream of events: of which pods a container just died."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import docker

from workers.runtime.docker import labels
from workers.runtime.docker.engine import BROKEN
from workers.runtime.docker.labels import Owner
from workers.runtime.docker.observed import Observed


class Deaths:
    """Listens to the engine. `heard_until`: from when on to tell what died, in seconds since the epoch."""

    def __init__(self, client: docker.APIClient, owner: Owner, seen: Observed, heard_until: float) -> None:
        self._client, self._owner, self._seen = client, owner, seen
        self._heard_until = heard_until
        self._lock = threading.Lock()
        self._stream: object | None = None
        self._closed = False

    def events(self) -> Iterator[str]:
        """See `Runtime.events`."""
        # From where it was last heard, so that nothing is missed between two calls.
        try:
            stream = self._client.events(
                since=self._heard_until,
                filters={"type": "container", "event": "die", **self._owner.filter()},
                decode=True,
            )
        except (*BROKEN, OSError):
            return
        with self._lock:
            self._stream = stream
        try:
            if self._closed:
                return
            for event in stream:
                self._heard_until = event["timeNano"] / 1e9
                self._seen.died(event["Actor"]["ID"])
                yield event["Actor"]["Attributes"][labels.POD_UID]
        except (*BROKEN, OSError, ValueError):
            # The engine is gone, or `close` cut the line.
            return
        finally:
            stream.close()

    def close(self) -> None:
        """End `events`."""
        with self._lock:
            self._closed = True
            stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()  # type: ignore[attr-defined]
