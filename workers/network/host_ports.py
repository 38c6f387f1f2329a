"""Ports of the machine that lead to pods, where pods have no network of their own for an engine to map them into.

Served on the node's address and on 127.0.0.1, or on the address that the port names; not on all addresses there are,
for these include the pods' own, on which servers want to listen on the same ports.
"""

from __future__ import annotations

import threading

from app.base.clock import Clock
from app.base.errors import BeanpoleError
from app.base.ids import Ids
from workers.network.rules import Endpoint, Rule, Rules
from workers.network.userspace import UserspacePlane

LOOPBACK = "127.0.0.1"
ANY = ("", "0.0.0.0", "::")


class PortTaken(BeanpoleError):
    """A port of the machine can't be had. The message says which, and why."""


class HostPorts:
    """The ports of one node's pods. Nothing runs as long as no pod has any."""

    def __init__(self, clock: Clock | None, ids: Ids | None) -> None:
        self._clock, self._ids = clock, ids
        self._lock = threading.Lock()
        self._rules: dict[str, tuple[Rule, ...]] = {}
        self._plane: UserspacePlane | None = None

    def serve(self, uid: str, rules: tuple[Rule, ...]) -> None:
        """Serve these for the pod, and no others any more. Costs nothing if nothing changes.

        Raises:
            PortTaken: one of them can't be had; then none is.
        """
        with self._lock:
            if self._rules.get(uid, ()) == rules:
                return
            self._put(uid, rules)
            if rules and self._plane and (wrong := self._plane.problems().get(rules[0].service)):
                self._put(uid, ())
                raise PortTaken(wrong)

    def close(self) -> None:
        """Stop serving."""
        if self._plane:
            self._plane.close()

    def _put(self, uid: str, rules: tuple[Rule, ...]) -> None:
        if rules:
            self._rules[uid] = rules
        else:
            self._rules.pop(uid, None)
        if self._plane is None:
            self._plane = UserspacePlane(self._clock, self._ids)
        self._plane.apply(Rules(tuple(sorted(rule for each in self._rules.values() for rule in each))))


def rules_for(
    pod: str, address: str, node_ip: str, ports: tuple[tuple[str, str, int, int], ...]
) -> tuple[Rule, ...]:
    """What leads to the pod.

    Args:
        pod: `namespace/name`, for messages. address: its own. ports: (hostIP, protocol, hostPort, port) of each.

    Raises:
        PortTaken: one of them is of a protocol that is not carried.
    """
    found = []
    for host_ip, protocol, host_port, port in ports:
        if protocol not in ("TCP", "UDP"):
            raise PortTaken(f"port {host_port}: only TCP and UDP are carried, not {protocol}")
        for ip in dict.fromkeys((node_ip, LOOPBACK)) if host_ip in ANY else (host_ip,):
            found.append(Rule(ip, protocol, host_port, pod, (Endpoint(address, port),), exclusive=True))
    return tuple(sorted(found))
