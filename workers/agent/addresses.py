"""Which pod has which address of its node's range."""

from __future__ import annotations

import ipaddress
import threading

from app.base.errors import BeanpoleError


class NoAddress(BeanpoleError):
    """All addresses of the node are taken."""


class Addresses:
    """The addresses of one node's pod CIDR: all but the network, the gateway (the first) and the broadcast.

    The next one handed out is one that was not in use for longest, so that whoever still talks to a pod that
    is gone does not reach another one.
    """

    def __init__(self, cidr: str) -> None:
        network = ipaddress.ip_network(cidr)
        self.cidr = cidr
        self._first = int(network.network_address) + 2
        self._count = max(0, network.num_addresses - 3)
        self._at = 0
        self._lock = threading.Lock()
        self._of: dict[str, str] = {}
        self._taken: set[str] = set()

    def adopt(self, uid: str, address: str) -> None:
        """The pod has the address already."""
        with self._lock:
            self._of[uid] = address
            self._taken.add(address)

    def take(self, uid: str) -> str:
        """The pod's address: the one it has, or a free one. Raises NoAddress."""
        with self._lock:
            if uid in self._of:
                return self._of[uid]
            for _ in range(self._count):
                address = str(ipaddress.ip_address(self._first + self._at))
                self._at = (self._at + 1) % self._count
                if address not in self._taken:
                    self._of[uid] = address
                    self._taken.add(address)
                    return address
        raise NoAddress(f"no free address in {self.cidr}: {self._count} are in use")

    def release(self, uid: str) -> None:
        """The pod is gone."""
        with self._lock:
            address = self._of.pop(uid, None)
            if address and address not in self._of.values():
                self._taken.discard(address)
