"""Running a command inside a container, with an end to the waiting."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
from collections.abc import Sequence
from typing import Any

import docker

from app.base.clock import Clock
from workers.runtime.docker.cgroup import holds
from workers.runtime.docker.client import Client
from workers.runtime.docker.engine import translated
from workers.runtime.interactive import READ

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
            stream = client.exec_start(told, socket=True)
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


def read_ahead(stream: Any) -> bytes:
    """What came right behind the head of the engine's answer, which was read together with it. The stream's socket must
    not block."""
    response = getattr(stream, "_response", None)
    buffered = getattr(getattr(getattr(response, "raw", None), "_fp", None), "fp", None)
    if buffered is None:
        return b""
    try:
        return buffered.read1(READ) or b""
    except (OSError, ValueError):
        return b""


def _read(stream: Any, deadline: float, clock: Clock) -> bytes | None:
    """What was printed, out of the engine's frames; None if the time was over first."""
    sock: socket.socket = getattr(stream, "_sock", stream)
    sock.setblocking(False)
    raw = bytearray(read_ahead(stream))
    poll = select.poll()
    poll.register(stream.fileno(), select.POLLIN)
    output = bytearray()
    while True:
        while len(raw) >= 8:
            (length,) = struct.unpack_from(">I", raw, 4)
            if len(raw) < 8 + length:
                break
            output += raw[8 : 8 + length][: OUTPUT_MAX - len(output)]
            del raw[: 8 + length]
        left = deadline - clock.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            return None
        data = os.read(stream.fileno(), 65536)
        if not data:
            return bytes(output)
        raw += data


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
