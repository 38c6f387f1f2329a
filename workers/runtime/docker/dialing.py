"""Connections to ports of a pod: at its address, or where it listens on its own loopback only.

A process that may (root) enters the network of the pod's sandbox for the second: one thread does, makes the socket
there, and ends; a socket stays in the network that it was made in (network_namespaces(7)).
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading

import docker

from workers.runtime.docker import labels
from workers.runtime.docker.cgroup import holds
from workers.runtime.docker.engine import translated

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


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
    made: list[socket.socket] = []
    failed: list[OSError] = []

    def enter() -> None:
        try:
            fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
            try:
                if _libc.setns(fd, CLONE_NEWNET) != 0:
                    number = ctypes.get_errno()
                    raise OSError(number, os.strerror(number))
            finally:
                os.close(fd)
            made.append(_loopback(port, timeout))
        except OSError as exc:
            failed.append(exc)

    # A thread of its own: one that has entered must not serve anybody else.
    thread = threading.Thread(target=enter, name="dial-loopback")
    thread.start()
    thread.join()
    if made:
        return made[0]
    raise refused if isinstance(failed[0], PermissionError) else failed[0]


def _loopback(port: int, timeout: float) -> socket.socket:
    try:
        return socket.create_connection(("127.0.0.1", port), timeout)
    except ConnectionRefusedError as refused:
        try:
            return socket.create_connection(("::1", port), timeout)
        except OSError:
            # A pod need not have that address.
            raise refused from None
