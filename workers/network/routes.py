"""Routes to the pods of nodes on other machines: each node's range by way of its machine's address.

That is what Kubernetes asks of any cluster network, that pods reach each other's addresses as they are
(https://kubernetes.io/docs/concepts/cluster-administration/networking/), done in the simplest way there is. The machines
must share a network segment; where they don't, its routers must know the ranges, which each node's `spec.podCIDR` tells.

The ranges of the machine's own nodes have a route by the loopback device that comes after their bridge's own: while a bridge
is gone, what was meant for its pods is dropped, and sent again by who sent it, and does not leave the machine.
"""

from __future__ import annotations

import ipaddress
import json
import threading
from collections.abc import Iterable, Mapping

from app.base.clock import Clock
from workers.network import machine
from workers.network.command import run

# Marks the routes as ours (the protocol number of a route; 66 is nobody's in /etc/iproute2/rt_protos).
PROTOCOL = "66"
# How often it is seen that all of them are there; while one can't be set, half as often each time. Seconds.
CHECK_SECONDS = 30.0
CHECK_SECONDS_MAX = 300.0


def wanted(peers: Iterable[tuple[str, str]], own_address: str) -> dict[str, str]:
    """The machine's address for each range that lies on another machine, and nothing for those on this one. Pure.

    Args:
        peers: of each node its machine's address, and the range of its pods'; empty where it has none yet.
    """
    return {
        pods: "" if at == own_address else at for at, pods in peers if pods and at and ":" not in at + pods
    }


class Routes:
    """Keeps the machine's routes to pods. Needs root.

    Args:
        pod_cidr: the range of all pods of the cluster; other routes are none of ours.
    """

    def __init__(self, pod_cidr: str, clock: Clock) -> None:
        self._all = ipaddress.ip_network(pod_cidr)
        self._clock = clock
        self._lock = threading.Lock()
        self._set: dict[str, str] | None = None
        self._wait = self._check_at = 0.0
        self._problems: dict[str, str] = {}

    def apply(self, peers: Mapping[str, tuple[str, str]], own_address: str) -> None:
        """Have a route to the pods of every other machine, and none to those of machines that are gone. Costs nothing
        most of the time while `peers` stay; what can't be done is told by `problems`."""
        routes = wanted(peers.values(), own_address)
        with self._lock:
            now = self._clock.monotonic()
            if routes == self._set and now < self._check_at:
                return
            failing = routes == self._set and self._problems
            self._wait = min(2 * self._wait, CHECK_SECONDS_MAX) if failing else CHECK_SECONDS
            self._check_at = now + self._wait
            self._put(routes, own_address)
            self._set = routes

    def _put(self, routes: Mapping[str, str], own_address: str) -> None:
        there = self._there()
        for cidr, via in sorted(there):
            if routes.get(cidr) != via:
                self._delete(cidr, via)
        problems = {}
        for cidr, via in sorted(routes.items()):
            if (cidr, via) in there:
                continue
            # Whoever begins while the bridge is gone goes on once it is back.
            source = [] if via else ["src", own_address]
            code, said = run(["ip", "-4", "route", "replace", *_route(cidr, via), *source])
            if code != 0 and not via:
                # A node's address need not be one that its machine knows.
                code, said = run(["ip", "-4", "route", "replace", *_route(cidr, via)])
            if code != 0:
                reason = (said.strip().splitlines() or ["no reason given"])[0]
                hint = " (machines share a network, or its routers know the pods' ranges)" if via else ""
                problems[f"pods of {via or own_address}"] = f"no route to {cidr}: {reason}{hint}"
        self._problems = problems

    def remove(self) -> None:
        """Take them away, for a cluster that is no more."""
        with self._lock:
            for cidr, via in self._there():
                self._delete(cidr, via)
            self._set = None

    def problems(self) -> dict[str, str]:
        """What could not be done, by what it concerns. Empty when all is well."""
        return dict(self._problems)

    @staticmethod
    def _delete(cidr: str, via: str) -> None:
        run(["ip", "-4", "route", "delete", *_route(cidr, via)])

    def _there(self) -> set[tuple[str, str]]:
        """The routes that are ours already: ranges, and as `wanted`."""
        code, said = run(["ip", "-j", "-4", "route", "show", "proto", PROTOCOL])
        found = json.loads(said or "[]") if code == 0 else []
        return {
            (r["dst"], r.get("gateway", ""))
            for r in found
            if (r.get("gateway") or r.get("dev") == "lo") and self._within(r["dst"])
        }

    def _within(self, cidr: str) -> bool:
        network = ipaddress.ip_network(cidr)
        return isinstance(network, ipaddress.IPv4Network) and network.subnet_of(self._all)  # type: ignore[arg-type]


def _route(cidr: str, via: str) -> list[str]:
    """In the words of ip-route(8)."""
    where = [cidr, "via", via] if via else machine.stay(cidr)
    return [*where, "proto", PROTOCOL]
