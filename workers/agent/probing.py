"""Trying a probe: one HTTP request, one connection, or one command."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import Protocol

from app.objects.change import Object
from workers.runtime.protocol import AnswersProbes, ContainerError, PodRef, Runtime

# As kubelet: what a failing endpoint said is shown up to here.
_SHOWN = 1024


@dataclass(frozen=True, slots=True)
class Try:
    """What to try: `handler` holds one of httpGet, tcpSocket, exec. `container` is its spec, for named ports."""

    pod: PodRef
    container: Object
    container_id: str
    address: str
    handler: Object
    timeout: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether it succeeded; if not, why, as the Unhealthy event says it."""

    ok: bool
    message: str = ""


class Prober(Protocol):
    """Whoever can try a probe. Never raises: what goes wrong is a failure of the probe."""

    def probe(self, attempt: Try) -> Outcome: ...


class MachineProber:
    """Tries probes from this machine: over its network, or inside the container."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def probe(self, attempt: Try) -> Outcome:
        handler = attempt.handler
        try:
            if "httpGet" in handler:
                return _http(attempt, handler["httpGet"])
            if "tcpSocket" in handler:
                return _tcp(attempt, handler["tcpSocket"])
            return self._exec(attempt, handler["exec"])
        except (KeyError, ValueError) as exc:
            return Outcome(False, f"the probe can't be tried: {exc}")

    def _exec(self, attempt: Try, action: Object) -> Outcome:
        command = action.get("command") or []
        try:
            code, output = self._runtime.exec(attempt.pod, attempt.container_id, command, attempt.timeout)
        except TimeoutError:
            return Outcome(False, f'command "{" ".join(command)}" timed out')
        except ContainerError as exc:
            return Outcome(False, exc.message)
        return Outcome(code == 0, output[:_SHOWN].decode("utf-8", "replace"))


class AskingProber:
    """For a runtime without sockets, which answers for its containers."""

    def __init__(self, runtime: AnswersProbes) -> None:
        self._runtime = runtime

    def probe(self, attempt: Try) -> Outcome:
        try:
            ok = self._runtime.probe(attempt.pod, attempt.container["name"])
        except ContainerError as exc:
            return Outcome(False, exc.message)
        return Outcome(ok, "" if ok else "the container is not ready")


def prober_for(runtime: Runtime) -> Prober:
    return AskingProber(runtime) if isinstance(runtime, AnswersProbes) else MachineProber(runtime)


def port_number(container: Object, port: int | str) -> int:
    """A port given as a number or as the name of one of the container's ports.

    Raises:
        ValueError: the container has no port of that name.
    """
    if isinstance(port, int) or str(port).isdigit():
        return int(port)
    for known in container.get("ports") or ():
        if known.get("name") == port:
            return int(known["containerPort"])
    raise ValueError(f"the container has no port named {port!r}")


def request(address: str, container: Object, action: Object, timeout: float) -> tuple[int, bytes]:
    """Send the HTTP GET of a probe or a hook; its status and the start of its body. Raises OSError and
    http.client.HTTPException."""
    host = action.get("host") or address
    port = port_number(container, action["port"])
    path = action.get("path") or "/"
    if not path.startswith("/"):
        path = "/" + path
    connection: http.client.HTTPConnection
    if (action.get("scheme") or "HTTP").upper() == "HTTPS":
        # As in Kubernetes, a probe doesn't verify the certificate.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    headers = {"User-Agent": "kube-probe/1.0", "Accept": "*/*", "Connection": "close"}
    headers.update({h["name"]: h.get("value", "") for h in action.get("httpHeaders") or ()})
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read(_SHOWN)
    finally:
        connection.close()


def _http(attempt: Try, action: Object) -> Outcome:
    host = action.get("host") or attempt.address
    url = f"{(action.get('scheme') or 'HTTP').lower()}://{host}:{action['port']}{action.get('path') or '/'}"
    try:
        status, _ = request(attempt.address, attempt.container, action, attempt.timeout)
    except TimeoutError:
        why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return Outcome(False, f'Get "{url}": {why}')
    except (OSError, http.client.HTTPException) as exc:
        return Outcome(False, f'Get "{url}": {_words(exc, host, action["port"])}')
    if 200 <= status < 400:
        return Outcome(True)
    return Outcome(False, f"HTTP probe failed with statuscode: {status}")


def _tcp(attempt: Try, action: Object) -> Outcome:
    host = action.get("host") or attempt.address
    port = port_number(attempt.container, action["port"])
    try:
        with socket.create_connection((host, port), timeout=attempt.timeout):
            return Outcome(True)
    except TimeoutError:
        return Outcome(False, f"dial tcp {host}:{port}: i/o timeout")
    except OSError as exc:
        return Outcome(False, _words(exc, host, port))


def _words(exc: Exception, host: str, port: object) -> str:
    if isinstance(exc, ConnectionRefusedError):
        return f"dial tcp {host}:{port}: connect: connection refused"
    return f"dial tcp {host}:{port}: {exc}" if isinstance(exc, OSError) else f"{type(exc).__name__}: {exc}"
