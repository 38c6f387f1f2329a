"""The data plane of the process runtime: a proxy inside the agent.

Service addresses are loopback addresses (127.96.0.0/16), which every Linux machine already has, so it
needs neither root nor a network of its own, except for service ports below
net.ipv4.ip_unprivileged_port_start (1024 on most machines).
"""

from __future__ import annotations

import errno
import logging

from app.base.clock import Clock, SystemClock
from app.base.ids import Ids, RandomIds
from workers.network.listeners import HANDSHAKE_SECONDS, TcpListener, UdpListener
from workers.network.loop import Loop
from workers.network.relay import Relay
from workers.network.rules import Rule, Rules

log = logging.getLogger(__name__)

Address = tuple[str, str, int]
CLOSE_SECONDS = 2.0


class UserspacePlane:
    """See `DataPlane`.

    A rule without endpoints has no listener, so the kernel refuses connections at once. An endpoint
    that leaves the rules gets no new connection; those it has stay until they end by themselves.
    """

    name = "userspace"

    def __init__(self, clock: Clock | None = None, ids: Ids | None = None) -> None:
        self._clock = clock or SystemClock()
        self._fraction = (ids or RandomIds()).fraction
        self._loop = Loop("service-proxy", self._clock)
        self._listeners: dict[Address, TcpListener | UdpListener] = {}
        self._relays: set[Relay] = set()
        self._problems: dict[Address, tuple[str, str]] = {}
        self._rules: Rules | None = None
        self._closed = False
        self.revision = -1

    def apply(self, rules: Rules) -> None:
        if self._closed:
            return
        # An address that was taken by another program may be free by now: then try again.
        if rules != self._rules or self._problems:
            self._loop.call(lambda: self._apply(rules))
            self._rules = rules
        self.revision = rules.revision

    def problems(self) -> dict[str, str]:
        return dict(self._problems.values())

    def connections(self) -> int:
        """How many TCP connections are being relayed."""
        return self._loop.call(lambda: len(self._relays))

    def close(self) -> None:
        """Stop listening, give relayed connections 2 seconds to end, then reset what is left."""
        if self._closed:
            return
        self._closed = True
        self._loop.call(self._stop_listening)
        self._clock.sleep(2 * HANDSHAKE_SECONDS)
        until = self._clock.monotonic() + CLOSE_SECONDS
        while self._clock.monotonic() < until and self.connections():
            self._clock.sleep(0.02)
        self._loop.call(self._abort)
        self._loop.stop()

    def _apply(self, rules: Rules) -> None:
        wanted: dict[Address, Rule] = {(r.ip, r.protocol, r.port): r for r in rules.rules if r.endpoints}
        problems: dict[Address, tuple[str, str]] = {}
        for address in [a for a in self._listeners if a not in wanted]:
            self._listeners.pop(address).close()
        for address, rule in wanted.items():
            listener = self._listeners.get(address)
            if listener is None:
                if wrong := self._open(address, rule):
                    problems[address] = rule.service, wrong
                    # It is tried again and again.
                    if self._problems.get(address) != problems[address]:
                        log.warning("service %s: %s", rule.service, wrong)
            elif isinstance(listener, UdpListener):
                listener.replace(rule)
            else:
                listener.rule = rule
        self._problems = problems

    def _open(self, address: Address, rule: Rule) -> str:
        """Listen. What kept it from that, or nothing."""
        try:
            if rule.protocol == "UDP":
                self._listeners[address] = UdpListener(self._loop, rule, self._fraction)
            else:
                self._listeners[address] = TcpListener(self._loop, rule, self._fraction, self._relays)
        except OSError as exc:
            return _explain(rule, exc)
        return ""

    def _abort(self) -> None:
        for relay in list(self._relays):
            relay.abort()

    def _stop_listening(self) -> None:
        while self._listeners:
            self._listeners.popitem()[1].close()


def _explain(rule: Rule, exc: OSError) -> str:
    where = f"{rule.ip or '0.0.0.0'}:{rule.port}/{rule.protocol}"
    if exc.errno == errno.EACCES:
        return (
            f"may not listen on {where}: run as root, or allow it with "
            f"`sysctl net.ipv4.ip_unprivileged_port_start={rule.port}`, or use a port from 1024 on"
        )
    if exc.errno == errno.EADDRINUSE:
        return f"another program listens on {where}; stop it or change the service's port"
    if exc.errno == errno.EADDRNOTAVAIL:
        return f"{where} is not an address of this machine"
    return f"can't listen on {where}: {exc.strerror}"
