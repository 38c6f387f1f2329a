"""Services and their endpoints, as an agent process was told of them: once, however many nodes it speaks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.objects.change import Object, key_of


@dataclass(frozen=True, slots=True)
class ServiceNews:
    """What an answer changed.

    Attributes:
        changed: services or endpoints did. withdrawn: an endpoint has left its service, which other agents
            wait for. moved: where the pods of other machines are has changed.
    """

    changed: bool = False
    withdrawn: bool = False
    moved: bool = False


@dataclass(slots=True)
class Services:
    """See the module.

    Attributes:
        since, epoch: the revision known, and of which epoch; 0 before anything is.
        applied: the revision of the service rules in force on every Ready node.
        serving: the pods (by uid) of each node that are endpoints of a service and get new connections.
        peers: the address of each node's machine, and the range of its pods' addresses.
    """

    since: int = 0
    epoch: int = 0
    applied: int = 0
    services: dict[str, Object] = field(default_factory=dict)
    slices: dict[str, Object] = field(default_factory=dict)
    serving: dict[str, set[str]] = field(default_factory=dict)
    peers: dict[str, tuple[str, str]] = field(default_factory=dict)
    _ready: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict)

    def known(self) -> Object:
        """What to say of it in a request."""
        return {"since": self.since, "epoch": self.epoch}

    def fold(self, answer: dict[str, Any]) -> ServiceNews:
        """Take in an answer. Of another epoch that does not hold everything, only that it is another: then
        everything must be asked for."""
        network: dict[str, Any] = answer.get("network") or {}
        epoch, full = int(answer.get("epoch") or 0), bool(network.get("full"))
        if self.epoch and epoch != self.epoch and not full:
            self.since, self.epoch = 0, epoch
            return ServiceNews()
        self.epoch, self.since = epoch, int(answer["revision"])
        self.applied = int(answer.get("applied") or 0)
        services, slices = network.get("services") or [], network.get("endpointslices") or []
        services_gone, slices_gone = (
            network.get("servicesGone") or [],
            network.get("endpointslicesGone") or [],
        )
        moved = self._fold_peers(network, full)
        if not (full or services or slices or services_gone or slices_gone):
            return ServiceNews(moved=moved)
        if full:
            given = {key_of(piece) for piece in slices}
            slices_gone = [key for key in self.slices if key not in given]
            self.services.clear()
        for service in services:
            self.services[key_of(service)] = service
        for key in services_gone:
            self.services.pop(key, None)
        return ServiceNews(True, self._fold_slices(slices, slices_gone), moved)

    def _fold_peers(self, network: dict[str, Any], full: bool) -> bool:
        """Whether anything is elsewhere than it was."""
        before = dict(self.peers)
        if full:
            self.peers.clear()
        self.peers.update(
            {name: (where[0], where[1]) for name, where in (network.get("peers") or {}).items()}
        )
        for name in network.get("peersGone") or ():
            self.peers.pop(name, None)
        return self.peers != before

    def _fold_slices(self, slices: list[Object], gone: list[str]) -> bool:
        """Whether an endpoint was withdrawn."""
        withdrawn = False
        for piece in slices:
            key = key_of(piece)
            self.slices[key] = piece
            ready = frozenset(_ready_endpoints(piece))
            withdrawn = withdrawn or not self._ready.get(key, frozenset()) <= ready
            self._ready[key] = ready
        for key in gone:
            self.slices.pop(key, None)
            withdrawn = bool(self._ready.pop(key, None)) or withdrawn
        self.serving = {}
        for pairs in self._ready.values():
            for node, who in pairs:
                self.serving.setdefault(node, set()).add(who)
        return withdrawn


def _ready_endpoints(piece: Object) -> list[tuple[str, str]]:
    """`(node, pod uid or address)` of the endpoints that get new connections."""
    found = []
    for endpoint in piece.get("endpoints") or ():
        if (endpoint.get("conditions") or {}).get("ready") is False:
            continue
        target = endpoint.get("targetRef") or {}
        who = target.get("uid") or ",".join(endpoint.get("addresses") or ())
        found.append((endpoint.get("nodeName") or "", who))
    return found
