"""A pod's place in the node's network: a pair of veth(4), one end in its sandbox, the other on the engine's bridge.

The engine could do it, and does where the agent may not. But in a network that isn't its usual one it starts, for each
container, a program that fills the container's packet filter for a name server of its own, which no pod of ours asks;
that is a fifth of the time that a pod takes to start. What stays the engine's is the network itself: its bridge, its
range, and the rules by which packets leave it.

A sandbox is whole once the end on the machine is up, which comes last: an agent that dies before leaves a sandbox that
the next one makes anew. When the sandbox ends, the kernel removes both ends.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.base.errors import BeanpoleError
from workers.runtime.docker import netns
from workers.runtime.docker.cgroup import holds

log = logging.getLogger("beanpole.docker")

LINKS = Path("/sys/class/net")
# What the links' names begin with; a name has at most 15 characters.
PREFIX = "bp"
# The name of the end in the sandbox.
INSIDE = "eth0"
# The flag of a link that is up (IFF_UP in linux/if.h).
_UP = 0x1
# How long the machine's `ip` may take. Seconds.
_PATIENCE = 20.0
# By what a link that comes into being decides whether it gets an IPv6 address.
_IPV6 = Path("/proc/sys/net/ipv6/conf/default/disable_ipv6")
# Runtimes whose containers see a link that comes once they run (the empty name: the engine's usual one). Those with a
# kernel of their own, such as gVisor and Kata Containers, take over what is there when they begin.
_SEE_LINKS = ("", "runc", "crun", "nvidia", "io.containerd.runc.v2")


class NotHere(BeanpoleError):
    """The sandbox is no process of this machine that may be entered: the engine is elsewhere."""


class LinkFailed(BeanpoleError):
    """The machine's `ip` refused. The message is what it said."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A node's. `gateway`: its address with the range's length. `mtu`: bytes in a packet."""

    name: str
    gateway: ipaddress.IPv4Interface
    mtu: int = 1500

    @property
    def is_here(self) -> bool:
        return (LINKS / self.name).exists()


class Links:
    """Fastens a node's sandboxes to its bridge, once there is one that may be used."""

    def __init__(self) -> None:
        self._bridge: Bridge | None = None
        self._given_up = os.geteuid() != 0 or not _has_ip()
        self._has_fastened = False
        # The link of each address's last pod.
        self._last: dict[str, str] = {}

    @property
    def usable(self) -> bool:
        """Whether sandboxes are fastened here, and not by the engine."""
        return self._bridge is not None and not self._given_up

    @property
    def has_lost_bridge(self) -> bool:
        """Whether the bridge was there and is not any more."""
        return self._bridge is not None and not self._bridge.is_here

    def use(self, bridge: Bridge) -> None:
        """Fasten to this bridge from now on, if it is one of this machine: an engine may be elsewhere."""
        self._bridge = bridge if bridge.is_here else None

    def give_up(self) -> bool:
        """Leave it to the engine from now on, unless it was seen that it can be done. Whether it is left."""
        self._given_up = self._given_up or not self._has_fastened
        return self._given_up

    def fasten(self, container_id: str, pid: int, address: str) -> None:
        """Give a sandbox that has no network its address. Doing it twice is an error.

        Args:
            pid: of its first process.

        Raises:
            NotHere: it can't be entered. LinkFailed: there is no bridge, or the machine refused.
        """
        bridge = self._bridge
        if bridge is None:
            raise LinkFailed("the node's bridge is gone")
        if not holds(pid, container_id):
            raise NotHere(f"process {pid} is not one of container {container_id[:12]} here")
        link, mtu = name(container_id), f"mtu {bridge.mtu}"
        inside = (
            f"link add name {INSIDE} {mtu} address {_hardware(address)} type veth "
            f"peer name {link} {mtu} netns {os.getpid()}\n"
            f"address add {address}/{bridge.gateway.network.prefixlen} brd + dev {INSIDE}\n"
            f"link set dev {INSIDE} up\n"
            f"route add default via {bridge.gateway.ip}\n"
        )
        try:
            netns.within(pid, lambda: _make(inside))
        except OSError as exc:
            raise NotHere(f"process {pid} can't be entered: {exc}") from exc
        self._part(self._last.get(address, ""))
        _ip(_on_bridge(link, bridge.name) + f"link set dev {link} up\n")
        self._last[address] = link
        self._has_fastened = True

    def _part(self, link: str) -> None:
        """Remove the link of the pod that had an address before, if the kernel has not got to it yet: the bridge would go
        on sending there what is for the new pod, which has the same hardware address."""
        if link and (LINKS / link).exists():
            with contextlib.suppress(LinkFailed):
                _ip(f"link delete dev {link}\n")

    def mend(self, container_ids: Iterable[str]) -> None:
        """Fasten again the sandboxes whose bridge was made anew under them."""
        if self._bridge is None:
            return
        mended = 0
        for link in map(name, container_ids):
            if not (LINKS / link).exists() or _bridge_of(link) == self._bridge.name:
                continue
            try:
                _ip(_on_bridge(link, self._bridge.name))
                mended += 1
            except LinkFailed as exc:
                # One that ends meanwhile takes its link along.
                if (LINKS / link).exists():
                    log.warning("a pod could not be put on the node's bridge again: %s", exc)
        if mended:
            log.warning("%d pods were put on the node's bridge again", mended)


def name(container_id: str) -> str:
    """Of the end on the machine, by the sandbox's id."""
    return PREFIX + container_id[:12]


def can_be_seen(runtime: str) -> bool:
    """Whether containers that this one of the engine's runtimes runs see a link that they are given."""
    return runtime in _SEE_LINKS


def is_whole(container_id: str) -> bool:
    """Whether a sandbox was fastened."""
    try:
        return bool(int((LINKS / name(container_id) / "flags").read_text(), 16) & _UP)
    except OSError:
        return False


def _on_bridge(link: str, bridge: str) -> str:
    # A pod may be given itself as the endpoint of a service: the bridge sends back through the port it came from.
    return f"link set dev {link} master {bridge}\nlink set dev {link} type bridge_slave hairpin on\n"


def _bridge_of(link: str) -> str:
    try:
        return (LINKS / link / "master").readlink().name
    except OSError:
        return ""


def _hardware(address: str) -> str:
    """Drawn from the address, as the engine does: whoever knew the address's last owner finds its next one."""
    return "02:42:" + ":".join(f"{byte:02x}" for byte in ipaddress.IPv4Address(address).packed)


def _make(commands: str) -> None:
    """The part in the sandbox's network. The link is to have no IPv6 address, as in the engine's networks; what else
    the pod makes there is its own."""
    before = None
    # Some that may make links may not set this.
    with contextlib.suppress(OSError):
        was = _IPV6.read_text()
        _IPV6.write_text("1")
        before = was
    try:
        _ip(commands)
    finally:
        if before is not None:
            _IPV6.write_text(before)


def _has_ip() -> bool:
    """Whether the machine has an `ip` that does as we ask: BusyBox's does not."""
    try:
        _ip("")
    except LinkFailed:
        return False
    return True


def _ip(commands: str) -> None:
    """Have the machine's `ip` carry out these, each on a line of its own."""
    call = ["ip", "-batch", "-"]
    try:
        done = subprocess.run(
            call, input=commands, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise LinkFailed(f"ip: {exc}") from exc
    if done.returncode != 0:
        raise LinkFailed((done.stderr.strip().splitlines() or ["ip gave no reason"])[0])
