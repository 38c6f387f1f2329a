"""tcpSocket: a connection can be made."""

from __future__ import annotations

from app.objects.change import Object
from workers.agent.probing.attempt import Outcome, Try, join, port_number
from workers.agent.probing.talk import Talk, connect, new_socket


def destination(attempt: Try, action: Object) -> tuple[str, int]:
    """Host and port of a tcpSocket action. Raises ValueError."""
    return action.get("host") or attempt.address, port_number(attempt.container, action["port"])


def try_tcp(host: str, port: int, address: str) -> Talk[Outcome]:
    """Args: address: where `host` is."""
    sock = new_socket(address)
    try:
        yield from connect(sock, address, port)
    except TimeoutError:
        return Outcome(False, f"dial tcp {join(host, port)}: i/o timeout")
    except OSError as exc:
        return Outcome(False, dial_error(exc, host, port))
    finally:
        sock.close()
    return Outcome(True)


def dial_error(exc: OSError, host: str, port: int) -> str:
    """Why a connection could not be made, in Go's words."""
    if isinstance(exc, TimeoutError) and not exc.args:
        return f"dial tcp {join(host, port)}: i/o timeout"
    return f"dial tcp {join(host, port)}: connect: {(exc.strerror or str(exc)).lower()}"
