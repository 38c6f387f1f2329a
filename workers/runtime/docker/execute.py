"""Running a command inside a container, with an end to the waiting."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence

import docker

from app.base.clock import Clock
from workers.runtime.docker.cgroup import holds
from workers.runtime.docker.client import Client
from workers.runtime.docker.engine import translated
from workers.runtime.docker.stream import Stream

# As kubelet's (maxRespBodyLength of probes): the first 10 KiB are kept.
OUTPUT_MAX = 10 * 1024
# How long the engine may take to note the beginning or the end of a command. Seconds.
NOTED = 5.0


def run(
    client: Client, container: str, command: Sequence[str], timeout: float, clock: Clock
) -> tuple[int, bytes]:
    """The exit code and first 10 KiB of output.

    Raises:
        TimeoutError: not done within `timeout` seconds, and killed. ContainerError: ExecError.
    """
    with translated("ExecError"):
        deadline = clock.monotonic() + timeout
        # An engine that hangs must not hold whoever waits for longer than the command may take.
        with client.within(timeout):
            told = client.exec_create(container, list(command), tty=False)["Id"]
            stream = Stream(client.exec_start(told, socket=True), framed=True)
        try:
            output = _read(stream, deadline, clock)
        finally:
            stream.close()
        if output is None:
            kill(client, told, clock)
            raise _late(command, timeout)
        while True:
            shown = client.exec_inspect(told)
            if not shown["Running"]:
                return int(shown["ExitCode"]), output
            # Its output is closed, but it runs on (or the engine has yet to note its end).
            if clock.monotonic() >= deadline:
                kill(client, told, clock)
                raise _late(command, timeout)
            clock.sleep(0.01)


def _late(command: Sequence[str], timeout: float) -> TimeoutError:
    return TimeoutError(f"command {command[0]!r} timed out after {timeout:g} s")


def _read(stream: Stream, deadline: float, clock: Clock) -> bytes | None:
    """What was printed; None if the time was over first."""
    output = bytearray()
    while (left := deadline - clock.monotonic()) > 0:
        piece = stream.read(left)
        if piece is None:
            return bytes(output)
        output += piece[1][: OUTPUT_MAX - len(output)]
    return None


def kill(client: docker.APIClient, told: str, clock: Clock) -> None:
    """End a command that still runs. The engine has no call for it; its process can be reached where engine and agent
    share a machine."""
    deadline = clock.monotonic() + NOTED
    while (shown := client.exec_inspect(told))["Running"]:
        if shown.get("Pid"):
            # The engine may be on another machine, or number processes otherwise.
            if not holds(shown["Pid"], shown.get("ContainerID") or ""):
                return
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(shown["Pid"], signal.SIGKILL)
            return
        if clock.monotonic() >= deadline:
            return
        # The engine has begun it and not noted its process yet.
        clock.sleep(0.01)
