"""Which kind of try a probe asks for, and who carries it out."""

from __future__ import annotations

import socket
from collections.abc import Callable

from app.base.clock import Clock, SystemClock
from workers.agent.jobs import Jobs
from workers.agent.probing import command, http, tcp
from workers.agent.probing.attempt import Done, Outcome, Prober, Try, port_number
from workers.agent.probing.grpc import try_grpc
from workers.agent.probing.loop import Loop
from workers.agent.probing.talk import Talk, is_numeric
from workers.agent.probing.threads import Threads
from workers.runtime.protocol import AnswersProbes, ContainerError, Runtime

# From where a host is to where to connect: makes a talk for an address.
_At = Callable[[str], Talk[Outcome]]


class MachineProber:
    """Tries probes from this machine: over its network, or inside the container."""

    def __init__(self, runtime: Runtime, clock: Clock | None = None) -> None:
        self._runtime = runtime
        self._clock = clock or SystemClock()
        self._threads = Threads("agent-exec-probe")
        self._loop = Loop(self._clock, self._threads)

    def schedule(self, jobs: Jobs) -> Jobs:
        return self._loop

    def probe(self, attempt: Try, done: Done) -> None:
        try:
            if "exec" in attempt.handler:
                self._threads.run(lambda: done(self._command(attempt)))
                return
            host, talk = _planned(attempt)
        except (KeyError, ValueError) as exc:
            done(Outcome(False, str(exc), unknown=True))
            return
        if is_numeric(host):
            self._loop.begin(talk(host), attempt.timeout, done)
        else:
            self._threads.run(lambda: self._look_up(host, talk, attempt.timeout, done))

    def close(self) -> None:
        self._loop.close()

    def _command(self, attempt: Try) -> Outcome:
        try:
            return command.try_command(self._runtime, attempt, attempt.handler["exec"])
        except Exception as exc:
            # Whatever a runtime does, the next try must come.
            return Outcome(False, f"{type(exc).__name__}: {exc}", unknown=True)

    def _look_up(self, host: str, talk: _At, timeout: float, done: Done) -> None:
        """Find where a host is, which may take long, and go on from there."""
        began = self._clock.monotonic()
        try:
            address = str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
        except (OSError, UnicodeError) as exc:
            done(Outcome(False, f"dial tcp: lookup {host}: {getattr(exc, 'strerror', None) or exc}"))
            return
        self._loop.begin(talk(address), timeout - (self._clock.monotonic() - began), done)


def _planned(attempt: Try) -> tuple[str, _At]:
    """The host to connect to, and the talk to have there. Raises ValueError, KeyError."""
    handler = attempt.handler
    if "httpGet" in handler:
        asked = http.request_of(handler["httpGet"], attempt.container, attempt.address)
        return asked.host, lambda address: http.try_http(asked, address)
    if "tcpSocket" in handler:
        host, port = tcp.destination(attempt, handler["tcpSocket"])
        return host, lambda address: tcp.try_tcp(host, port, address)
    if "grpc" in handler:
        action = handler["grpc"]
        port, service = port_number(attempt.container, action["port"]), str(action.get("service") or "")
        tls = action.get("mode") == "TLS"
        return attempt.address, lambda address: try_grpc(address, port, service, attempt.timeout, tls)
    raise ValueError("the probe says nothing that could be tried")


class AskingProber:
    """For a runtime without sockets, which answers for its containers."""

    def __init__(self, runtime: AnswersProbes) -> None:
        self._runtime = runtime

    def schedule(self, jobs: Jobs) -> Jobs:
        return jobs

    def probe(self, attempt: Try, done: Done) -> None:
        try:
            ok = self._runtime.probe(attempt.pod, attempt.container["name"])
        except ContainerError as exc:
            done(Outcome(False, exc.message))
            return
        done(Outcome(ok, "" if ok else "the container is not ready"))

    def close(self) -> None:
        return


def prober_for(runtime: Runtime) -> Prober:
    return AskingProber(runtime) if isinstance(runtime, AnswersProbes) else MachineProber(runtime)
