"""Hearing of containers that die, from a runtime that blocks until one does or from one that says so when asked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from workers.runtime.protocol import ContainerError, Runtime, TellsDeaths

log = logging.getLogger("beanpole.agent")

# Before a runtime that went away is listened to again. Seconds.
PAUSE = 1.0


class Deaths:
    """Wakes pods of which a container died.

    Args:
        again: called when the runtime went away and may be back: it may have forgotten everything.
    """

    def __init__(
        self, node: str, runtime: Runtime, wake: Callable[[str], None], again: Callable[[], None]
    ) -> None:
        self._node, self._runtime, self._wake, self._again = node, runtime, wake, again
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def when_asked(self) -> bool:
        """Whether `look` is to be called now and then: no thread listens."""
        return isinstance(self._runtime, TellsDeaths)

    def start(self) -> None:
        """Listen in a thread, where the runtime does not say so when asked."""
        if not self.when_asked:
            name = f"agent-events-{self._node}"
            self._thread = threading.Thread(target=self._listen, name=name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look at nothing anew. Who listens hears the end when the runtime is closed."""
        self._stopping.set()

    def join(self) -> None:
        """Once the runtime is closed: wait until nobody listens any more, but not for a runtime that hangs."""
        if self._thread is not None:
            self._thread.join(PAUSE)

    def look(self) -> None:
        """Wake pods of which a container died, where the runtime says so without blocking."""
        if isinstance(self._runtime, TellsDeaths):
            try:
                for uid in self._runtime.died():
                    self._wake(uid)
            except ContainerError as exc:
                log.debug("%s: %s", self._node, exc)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                for uid in self._runtime.events():
                    self._wake(uid)
            except ContainerError as exc:
                log.warning("%s: %s", self._node, exc)
            except Exception:
                # Whatever it was, the deaths to come have to be heard.
                log.exception("%s: listening to the runtime failed", self._node)
            if self._stopping.wait(PAUSE):
                return
            try:
                self._again()
            except Exception:
                log.exception("%s: looking at the runtime anew failed", self._node)
