"""Connections to ports of a pod: at its address, or where it listens on its own loopback only.

A process that may (root) enters the network of the pod's sandbox for the second.
"""

from __future__ import annotations

import socket

import docker

from workers.runtime.docker import labels, netns
from workers.runtime.docker.cgroup import holds
from workers.runtime.docker.engine import translated


def connect(client: docker.APIClient, sandbox: str, port: int, timeout: float) -> socket.socket:
    """A connection to a port of the pod with this sandbox. Raises OSError: nothing answers. ContainerError."""
    with translated("PortForwardError"):
        shown = client.inspect_container(sandbox)
    # Of an engine elsewhere, the number is some other process's here.
    pid = shown["State"]["Pid"] if holds(shown["State"]["Pid"], shown["Id"]) else 0
    return dial(shown["Config"]["Labels"][labels.ADDRESS], pid, port, timeout)


def dial(address: str, pid: int, port: int, timeout: float) -> socket.socket:
    """A connection to `port` at `address`, or on the loopback of the network that process `pid` is in.

    Raises:
        OSError: nothing answers at either.
    """
    try:
        return socket.create_connection((address, port), timeout)
    except ConnectionRefusedError as exc:
        refused = exc
    if not pid:
        raise refused
    try:
        return netns.within(pid, lambda: _loopback(port, timeout))
    except PermissionError:
        raise refused from None


def _loopback(port: int, timeout: float) -> socket.socket:
    try:
        return socket.create_connection(("127.0.0.1", port), timeout)
    except ConnectionRefusedError as refused:
        try:
            return socket.create_connection(("::1", port), timeout)
        except OSError:
            # A pod need not have that address.
            raise refused from None
