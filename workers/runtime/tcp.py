"""Counting open TCP connections out of the kernel's tables (/proc/<pid>/net/tcp and tcp6).

Format: https://docs.kernel.org/networking/proc_net_tcp.html. Addresses are hexadecimal, each 32-bit
word in the byte order of the machine.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from pathlib import Path

_LISTEN = b"0A"
# Established, being established, and closed by the other side only: each may still await an answer.
_OPEN = frozenset((b"01", b"03", b"08"))
_ANY = frozenset((b"00000000", b"0" * 32))


def count(tables: Iterable[bytes], address: str) -> int:
    """Connections open to ports that something listens on at `address` (or at every address), which
    come from another address than that one or loopback within a pod of its own.

    Args:
        tables: contents of `tcp` and `tcp6`. address: the pod's, IPv4.
    """
    mine = {encode(address), encode_mapped(address)}
    here = mine if address.startswith("127.") else mine | {encode("127.0.0.1"), encode_mapped("127.0.0.1")}
    listening: set[bytes] = set()
    arrived: list[bytes] = []
    for table in tables:
        for line in table.splitlines()[1:]:
            fields = line.split(None, 4)
            local, _, port = fields[1].partition(b":")
            if fields[3] == _LISTEN:
                if local in mine or local in _ANY:
                    listening.add(port)
            elif fields[3] in _OPEN and local in mine and fields[2].partition(b":")[0] not in here:
                arrived.append(port)
    return sum(port in listening for port in arrived)


def tables(pid: int | str = "self") -> list[bytes]:
    """The tables of the network namespace that process `pid` is in; none if it is gone."""
    found = []
    for name in ("tcp", "tcp6"):
        try:
            found.append(Path(f"/proc/{pid}/net/{name}").read_bytes())
        except OSError:
            continue
    return found


def encode(address: str) -> bytes:
    """An IPv4 address as the kernel prints it."""
    word = int.from_bytes(socket.inet_aton(address), sys.byteorder)
    return b"%08X" % word


def encode_mapped(address: str) -> bytes:
    """The same address as tcp6 shows it (`::ffff:a.b.c.d`)."""
    prefix = int.from_bytes(b"\x00\x00\xff\xff", sys.byteorder)
    return b"0" * 16 + b"%08X" % prefix + encode(address)
