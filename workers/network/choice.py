"""Which endpoint a new connection goes to."""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

from workers.network.rules import Endpoint, Rule


def order(rule: Rule, client: str, fraction: Callable[[], float]) -> list[Endpoint]:
    """The rule's endpoints in the order in which to try them, the first to try *last*.

    The first one is drawn evenly; the others follow from there around. A sticky rule draws by
    rendezvous hashing of the client's address, so that a client moves only if its endpoint leaves.
    """
    endpoints = rule.endpoints
    if len(endpoints) < 2:
        return list(endpoints)
    if rule.sticky:
        return sorted(endpoints, key=lambda e: crc32(f"{client}>{e.ip}:{e.port}".encode()))
    first = int(fraction() * len(endpoints))
    return [*endpoints[first + 1 :], *endpoints[: first + 1]]
