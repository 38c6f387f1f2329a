"""The addresses of a new cluster on an engine that has other clusters' networks.

Each pair of ranges, of pods and of services, is one part: whoever has taken the pods' range has the services' one that
goes with it, so clusters that chose in this way share neither. The first part is the usual one.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workers.runtime.docker import engine
from workers.runtime.docker.engine import translated
from workers.runtime.protocol import ContainerError

Network = ipaddress.IPv4Network
PARTS = 29


@dataclass(frozen=True, slots=True)
class Part:
    """Addresses for one cluster."""

    pods: Network
    services: Network


def parts() -> Iterator[Part]:
    """Every part, in the order of choice: 10.244.0.0/14 with 10.96.0.0/16, 10.240.0.0/14 with 10.97.0.0/16, ..."""
    for number in range(PARTS):
        yield Part(
            ipaddress.IPv4Network(f"10.{244 - 4 * number}.0.0/14"),
            ipaddress.IPv4Network(f"10.{96 + number}.0.0/16"),
        )


def choose(taken: Mapping[str, Network]) -> tuple[Part, str]:
    """The first part that overlaps no network, and which one is in the way of the usual part; empty if none is.

    Args:
        taken: the engine's networks by name.

    Raises:
        ContainerError: everything is taken.
    """
    in_the_way = ""
    for part in parts():
        name = next(
            (n for n, net in taken.items() if net.overlaps(part.pods) or net.overlaps(part.services)), ""
        )
        if not name:
            return part, in_the_way
        in_the_way = in_the_way or f"{name} has {taken[name]}"
    raise ContainerError(
        "NoFreeRange",
        "Docker's networks leave no range for pods: remove some (`docker network ls`), or set BEANPOLE_POD_CIDR and "
        "BEANPOLE_SERVICE_CIDR",
    )


def networks() -> dict[str, Network]:
    """The engine's networks and their ranges. Raises ContainerError."""
    client = engine.connect()
    try:
        with translated(engine.UNAVAILABLE):
            found = client.networks()
    finally:
        client.close()
    taken = {}
    for network in found:
        for config in (network.get("IPAM") or {}).get("Config") or ():
            subnet = ipaddress.ip_network(config.get("Subnet") or "0.0.0.0/32", strict=False)
            if isinstance(subnet, Network):
                taken[str(network["Name"])] = subnet
    return taken


def main() -> None:
    """`python -m workers.runtime.docker.ranges` prints `<pods>\\t<services>\\t<what is in the way of the usual ones>`:
    for `beanpole up`, which imports no workers."""
    try:
        part, in_the_way = choose(networks())
    except ContainerError as exc:
        sys.exit(exc.message)
    print(f"{part.pods}\t{part.services}\t{in_the_way}")


if __name__ == "__main__":
    main()
