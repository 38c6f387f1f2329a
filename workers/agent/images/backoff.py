"""How long a pod waits before a failed pull is tried again: 10 s, doubling to 5 minutes, for each of its images.

https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from workers.agent.deciding import backoff

# A wait that was over for so long is forgotten. Seconds.
FORGOTTEN_AFTER = 600.0


@dataclass(frozen=True, slots=True)
class Wait:
    """After so many failures in a row, until when; `why` the last one failed, and with which logins (their prints)."""

    failures: int
    until: float
    why: str
    prints: tuple[str, ...]


class PullBackOffs:
    """The waits of a node's pods, by uid and image."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waits: dict[str, dict[str, Wait]] = {}

    def now(self, uid: str, image: str, prints: tuple[str, ...], now: float) -> Wait | None:
        """The wait that holds now. Other logins than those that failed are worth a try at once."""
        with self._lock:
            wait = self._waits.get(uid, {}).get(image)
        return wait if wait is not None and wait.prints == prints and now < wait.until else None

    def failed(self, uid: str, image: str, prints: tuple[str, ...], why: str, now: float) -> None:
        """A pull with these logins failed."""
        with self._lock:
            waits = self._waits.setdefault(uid, {})
            last = waits.get(image)
            again = last is not None and last.prints == prints and now - last.until < FORGOTTEN_AFTER
            failures = last.failures + 1 if last is not None and again else 1
            waits[image] = Wait(failures, now + backoff.retry_delay(failures), why, prints)

    def worked(self, uid: str, image: str) -> None:
        """The pod has its image."""
        with self._lock:
            self._waits.get(uid, {}).pop(image, None)

    def forget(self, uid: str) -> None:
        """The pod needs none any more."""
        with self._lock:
            self._waits.pop(uid, None)
