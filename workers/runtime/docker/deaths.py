"""The engine's stream of events: of which pods a container just died, and whether the node's network was removed."""

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
        # Ids of networks that were heard to be removed, which may be told again.
        self._gone: set[str] = set()
        self._lock = threading.Lock()
        self._stream: object | None = None
        self._closed = False

    def events(self) -> Iterator[str]:
        """See `Runtime.events`."""
        # From where it was last heard, so that nothing is missed between two calls.
        try:
            stream = self._client.events(
                since=self._heard_until,
                # The engine says no labels of networks, so what is another's is told apart here.
                filters={"type": ["container", "network"], "event": ["die", "destroy"]},
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
                about = event["Actor"]["Attributes"]
                who = event["Actor"]["ID"]
                if event["Action"] == "die" and self._owner.labels.items() <= about.items():
                    self._seen.died(who)
                    yield about[labels.POD_UID]
                ours = event["Type"] == "network" and about.get("name") == self._owner.network
                if ours and who not in self._gone:
                    self._gone.add(who)
                    # The engine forgot what it had to keep, as one that was away may have.
                    return
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
