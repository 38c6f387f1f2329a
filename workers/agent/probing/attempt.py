"""One try of a probe, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.objects.change import Object
from workers.agent.jobs import Jobs
from workers.runtime.protocol import PodRef

# As kubelet: of what an endpoint or a command said, so many bytes are read.
BODY_MAX = 10 * 1024


@dataclass(frozen=True, slots=True)
class Try:
    """What to try: `handler` holds one of httpGet, tcpSocket, exec, grpc. `container` is its spec, for named ports.
    `timeout` in seconds."""

    pod: PodRef
    container: Object
    container_id: str
    address: str
    handler: Object
    timeout: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try went.

    Attributes:
        ok: it succeeded. message: if not, why, as the Event says it.
        warning: it succeeded, and `message` is worth an Event all the same.
        unknown: it could not be tried at all, which counts neither way (kubelet: "errored").
    """

    ok: bool
    message: str = ""
    warning: bool = False
    unknown: bool = False


Done = Callable[[Outcome], None]


class Prober(Protocol):
    """Whoever can try a probe."""

    def schedule(self, jobs: Jobs) -> Jobs:
        """Who is to keep the time of the tries: `jobs`, or something that is more exact."""
        ...

    def probe(self, attempt: Try, done: Done) -> None:
        """Try it, and tell `done` how it went: at once, or later from any thread; once, whatever happens. Does not
        block where `schedule` gave something of its own."""
        ...

    def close(self) -> None:
        """Try nothing more."""
        ...


def port_number(container: Object, port: int | str) -> int:
    """A port given as a number or as the name of one of the container's ports.

    Raises:
        ValueError: the container has no port of that name, or it is no port.
    """
    number = 0
    if isinstance(port, int) or str(port).isdigit():
        number = int(port)
    else:
        for known in container.get("ports") or ():
            if known.get("name") == port:
                number = int(known["containerPort"])
                break
        else:
            raise ValueError(f"the container has no port named {port!r}")
    if not 0 < number < 65536:
        raise ValueError(f"invalid port number: {number}")
    return number


def join(host: str, port: int) -> str:
    """`host:port`, as Go's net.JoinHostPort."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
