"""Hearing of changes without a broker: a watch of the API for the node's pods, and one for what services are made of.

An event is a hint, as a nudge is: it says only that an exchange is worthwhile. A machine that joined from elsewhere
needs nothing but the API's address for this.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from app.base.errors import BeanpoleError
from app.client.http import ApiClient

log = logging.getLogger("beanpole.agent")

# How long one watch lasts, and the pause before the next one if it could not be had. Seconds.
LASTS = 300.0
PAUSE = 2.0
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"


class Watching:
    """Calls `changed` whenever something may have changed for the node; in threads of its own, until `stop`."""

    def __init__(self, client: ApiClient, node: str, changed: Callable[[], None]) -> None:
        self._client, self._changed = client, changed
        self._stopping = threading.Event()
        self._watched: dict[str, Mapping[str, str]] = {
            "/api/v1/pods": {"fieldSelector": f"spec.nodeName={node}"},
            SLICES: {},
        }

    def start(self) -> None:
        for path, query in self._watched.items():
            threading.Thread(
                target=self._watch,
                args=(path, query),
                name=f"agent-watch-{path.rpartition('/')[2]}",
                daemon=True,
            ).start()

    def stop(self) -> None:
        """Begin no more watches; those that are open end with the process."""
        self._stopping.set()

    def _watch(self, path: str, query: Mapping[str, str]) -> None:
        while not self._stopping.is_set():
            try:
                # What there is already, the first exchange brings.
                since = self._client.get(path, limit=1, **query)["metadata"].get("resourceVersion")
                self._changed()
                for _ in self._client.watch(path, seconds=LASTS, resourceVersion=since, **query):
                    if self._stopping.is_set():
                        return
                    self._changed()
            except BeanpoleError as exc:
                # Without it the next exchange is up to an interval away, and no more is lost.
                log.debug("watch of %s: %s", path, exc)
                self._stopping.wait(PAUSE)
