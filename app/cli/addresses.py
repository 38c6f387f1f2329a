"""Where the pods and services of a new cluster live."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from app.base.errors import UserError
from app.base.ids import Ids
from app.cli.ask import ask


@dataclass(frozen=True, slots=True)
class Ranges:
    """Two ranges, and in words why they are not the usual ones; empty if they are."""

    service_cidr: str
    pod_cidr: str
    why: str = ""


USUAL = Ranges("10.96.0.0/16", "10.244.0.0/14")
# Nobody routes these, so there is room for thousands of nodes.
SIMULATED = Ranges("10.96.0.0/16", "10.128.0.0/9")


def ranges_for(runtime: str, ids: Ids) -> Ranges:
    """Ranges that fit a runtime and what is on this machine already.

    Clusters on one Docker engine must not overlap. A process has no network of its own: its addresses are loopback
    ones, which all clusters of the machine share, so that each draws a part for itself.

    Raises:
        UserError: the engine has no room, or does not answer.
    """
    if runtime == "simulated":
        return SIMULATED
    if runtime == "process":
        part = int(ids.fraction() * 62)
        return Ranges(f"127.{65 + part}.0.0/16", f"127.{130 + 2 * part}.0.0/15")
    # Nothing may be cut off the right end: the last field is empty where nothing is in the way.
    pods, services, in_the_way = (ask("workers.runtime.docker.ranges") + "\t\t").split("\t")[:3]
    why = f"pods get {pods} and services {services}, for Docker's network {in_the_way}" if in_the_way else ""
    return Ranges(services, pods, why)


def check(ranges: Ranges, runtime: str, node_prefix: int) -> None:
    """Raises UserError if no cluster can live in these ranges, and says which setting to correct."""
    services = _network("BEANPOLE_SERVICE_CIDR", ranges.service_cidr, 28)
    pods = _network("BEANPOLE_POD_CIDR", ranges.pod_cidr, node_prefix)
    if services.overlaps(pods):
        raise UserError(
            f"BEANPOLE_SERVICE_CIDR={services} and BEANPOLE_POD_CIDR={pods} overlap; change one of them"
        )
    if runtime == "process" and not pods.is_loopback:
        raise UserError(
            f"BEANPOLE_POD_CIDR={pods}: the process runtime has addresses out of 127.0.0.0/8 only; unset or correct it"
        )


def _network(name: str, text: str, longest: int) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as exc:
        raise UserError(
            f"{name}={text!r} is not a range of IPv4 addresses ({exc}); correct or unset it"
        ) from exc
    if network.prefixlen > longest:
        raise UserError(f"{name}={network} is too small; give a /{longest} or larger")
    return network
