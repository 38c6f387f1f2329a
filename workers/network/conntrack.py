"""What the kernel remembers of an endpoint that is gone, and should not.

Datagrams have no connection that ends: a client's would go on to the endpoint for as long as it keeps sending. They
are forgotten at once. And a TCP connection whose first packet the endpoint did not answer, because too many came at
once, is tried again a second later, at the same endpoint, which may be gone for good by then. Those are forgotten a
little later, when whoever was about to be answered has been: `conntrack` lists entries and then removes what it
listed, and a connection that is answered in between would be cut. TCP connections that were answered stay.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.base.clock import Clock
from workers.network.command import run
from workers.network.rules import Rules

log = logging.getLogger(__name__)

# A first packet that is answered at all is answered within this, and tried again after a second. Seconds.
ANSWERED_WITHIN = 0.3


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """From an address that clients connect to (`ip` empty: any of the machine's) to an endpoint's address."""

    protocol: str
    ip: str
    port: int
    endpoint: str


def ways(rules: Rules) -> set[Way]:
    """All of them. Pure."""
    return {Way(r.protocol, r.ip, r.port, e.ip) for r in rules.rules for e in r.endpoints}


def removal(way: Way) -> list[str]:
    """The call that removes the entries of this way: all datagrams', and of TCP what was not answered. Pure."""
    which = ["-p", "udp"] if way.protocol == "UDP" else ["-p", "tcp", "--state", "SYN_SENT"]
    where = ["--orig-dst", way.ip] if way.ip else []
    return ["conntrack", "-D", *which, *where, "--orig-port-dst", str(way.port), "--dst-nat", way.endpoint]


class Entries:
    """Removes the entries of endpoints that have left their services.

    Args:
        told: is called with what could not be done.
    """

    def __init__(self, clock: Clock, told: Callable[[str], None]) -> None:
        self._clock, self._told = clock, told
        self._lock = threading.Lock()
        self._left: dict[Way, float] = {}
        self._timer: threading.Timer | None = None

    def changed(self, old: Rules, new: Rules) -> None:
        """The rules in force are now `new`."""
        before, now = ways(old), ways(new)
        gone = before - now
        self._forget(way for way in gone if way.protocol == "UDP")
        at = self._clock.monotonic()
        with self._lock:
            for way in now & self._left.keys():
                del self._left[way]
            self._left.update((way, at) for way in gone if way.protocol == "TCP")
            self._wait()

    def close(self) -> None:
        """Forget nothing more."""
        with self._lock:
            self._left.clear()
            if self._timer:
                self._timer.cancel()

    def _wait(self) -> None:
        """With the lock held: come back when the next ways are due."""
        if self._left and self._timer is None:
            self._timer = threading.Timer(ANSWERED_WITHIN, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        due = self._clock.monotonic() - ANSWERED_WITHIN
        with self._lock:
            ripe = [way for way, at in self._left.items() if at <= due]
            for way in ripe:
                del self._left[way]
            self._timer = None
            self._wait()
        self._forget(ripe)

    def _forget(self, gone: Iterable[Way]) -> None:
        for way in sorted(gone):
            code, said = run(removal(way))
            if code == 127:
                self._told(f"clients may wait for an endpoint that is gone: {said} (package conntrack)")
                return
