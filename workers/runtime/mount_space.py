"""Which of the machine's mounts a container engine sees: those that its own process sees.

An agent may run in a container, and an engine too. Who listens on the engine's socket the kernel says (unix(7),
SO_PEERCRED), by the numbers of processes that are in sight here.
"""

from __future__ import annotations

import os
import socket
import struct

USUAL = "/var/run/docker.sock"
OWN = "/proc/self/ns/mnt"
# An engine on this machine answers at once. Seconds.
PATIENCE = 5.0


class OutOfSight(OSError):
    """Nobody knows from here where the engine is."""


def of_engine(host: str = "") -> str:
    """The file that stands for what the engine sees; empty if that is what this process sees.

    Args:
        host: where the engine is; by default where DOCKER_HOST says.

    Raises:
        OutOfSight: it is not on this machine, or in a container that this process can't look into.
        OSError: it does not answer.
    """
    host = host or os.environ.get("DOCKER_HOST") or USUAL
    path = host.removeprefix("unix://")
    if not path.startswith("/"):
        raise OutOfSight(f"the engine at {host} may be on another machine")
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE)
        line.connect(path)
        (pid, _, _) = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if pid <= 0:
        raise OutOfSight("the engine's process is not in sight (a container needs `pid: host`)")
    found = f"/proc/{pid}/ns/mnt"
    try:
        return found if os.readlink(found) != os.readlink(OWN) else ""
    except PermissionError:
        # Of a process that has more rights: the first of the machine, which listens for others. It is where all begin.
        return ""
    except FileNotFoundError as exc:
        raise OutOfSight(f"the engine's process {pid} is not in sight") from exc
