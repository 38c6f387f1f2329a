"""A command in a container, or a container's own process, for somebody who talks to it: over one socket of the engine.

Without a terminal, the engine puts a head of 8 bytes before each piece of output: the stream, and its length
(https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach).
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any

import docker
import docker.errors

from app.base.clock import Clock, parse_rfc3339
from workers.runtime.docker.engine import translated
from workers.runtime.docker.execute import NOTED, kill, read_ahead
from workers.runtime.interactive import READ, STDERR, STDOUT, write_some

_HEAD = struct.Struct(">BxxxI")
# A container that started so lately is taken to be awaiting its first user. Seconds.
FRESH = 10.0


class Line:
    """A socket to something in a container: `workers.runtime.interactive.Interactive` but for what is at its end.

    Args:
        stream: what the SDK hands out. lasts: its input outlives this line, which must not end it. resize: tells the engine a terminal's width and height.
    """

    def __init__(
        self, stream: Any, *, tty: bool, resize: Callable[[int, int], None], lasts: bool = False
    ) -> None:
        # Over a unix socket it is wrapped in a file object, which must be kept: the connection ends with it.
        self._stream = stream
        self._socket: socket.socket = getattr(stream, "_sock", stream)
        self._tty, self._resize, self._lasts = tty, resize, lasts
        self._rest = b""
        self._left, self._name = 0, STDOUT
        self._lock = threading.Lock()
        self._closed = False
        self._socket.setblocking(False)
        self._rest = read_ahead(stream)

    def read(self, timeout: float) -> tuple[int, bytes] | None:
        while True:
            if self._tty and self._rest:
                data, self._rest = self._rest, b""
                return STDOUT, data
            found = self._parsed()
            if found is not None:
                return found
            poll = select.poll()
            try:
                poll.register(self._socket.fileno(), select.POLLIN)
                if not poll.poll(timeout * 1000):
                    return STDOUT, b""
                data = self._socket.recv(READ)
            except BlockingIOError:
                continue
            except (OSError, ValueError):
                return None
            if not data:
                return None
            self._rest += data

    def write(self, data: bytes, timeout: float) -> int:
        with self._lock:
            if self._closed:
                raise BrokenPipeError("no more input is taken")
            fd = self._socket.fileno()
        return write_some(fd, data, timeout)

    def end_input(self) -> None:
        if self._lasts:
            # The engine would end the output, too.
            return
        if self._tty:
            with contextlib.suppress(OSError):
                self.write(b"\x04", 0.1)
            return
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def resize(self, width: int, height: int) -> None:
        if self._tty:
            # A command that has just ended has no terminal any more.
            with contextlib.suppress(docker.errors.APIError):
                self._resize(width, height)

    def exit_code(self) -> int | None:
        return None

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._stream.close()

    def _parsed(self) -> tuple[int, bytes] | None:
        """The next output of what was read already, if there is any."""
        while self._rest:
            if self._left == 0:
                if len(self._rest) < _HEAD.size:
                    return None
                name, self._left = _HEAD.unpack_from(self._rest)
                self._name = STDERR if name == STDERR else STDOUT
                self._rest = self._rest[_HEAD.size :]
                continue
            data, self._rest = self._rest[: self._left], self._rest[self._left :]
            self._left -= len(data)
            return self._name, data
        return None


class Command(Line):
    """A command that was started for whoever talks to it."""

    def __init__(
        self,
        client: docker.APIClient,
        container: str,
        command: Sequence[str],
        *,
        stdin: bool,
        tty: bool,
        clock: Clock,
    ) -> None:
        """Raises ContainerError: ExecError."""
        with translated("ExecError"):
            self._told = client.exec_create(container, list(command), stdin=stdin, tty=tty)["Id"]
            stream = client.exec_start(self._told, tty=tty, socket=True)
        super().__init__(
            stream, tty=tty, resize=lambda w, h: client.exec_resize(self._told, height=h, width=w)
        )
        self._client, self._clock = client, clock

    def exit_code(self) -> int | None:
        deadline = self._clock.monotonic() + NOTED
        with translated("ExecError"):
            while True:
                shown = self._client.exec_inspect(self._told)
                if not shown["Running"] and shown["ExitCode"] is not None:
                    return int(shown["ExitCode"])
                if self._clock.monotonic() > deadline:
                    # Its output is closed, but it runs on; it ends with `close`.
                    return 0
                self._clock.sleep(0.01)

    def close(self) -> None:
        super().close()
        with contextlib.suppress(Exception), translated("ExecError"):
            kill(self._client, self._told, self._clock)


def attached(client: docker.APIClient, container: str, *, stdin: bool, tty: bool, now: float) -> Line:
    """A line to a container's own process. Raises ContainerError: AttachError."""
    with translated("AttachError"):
        shown = client.inspect_container(container)
        once = bool(shown["Config"].get("StdinOnce"))
        # Who starts a container to talk to it wants to see what it said before they could be there.
        fresh = (
            bool(shown["Config"].get("OpenStdin"))
            and now - parse_rfc3339(shown["State"]["StartedAt"]) < FRESH
        )
        stream = client.attach_socket(
            container,
            params={"stdin": int(stdin), "stdout": 1, "stderr": 1, "stream": 1, "logs": int(once or fresh)},
        )
    return Line(
        stream, tty=tty, resize=lambda w, h: client.resize(container, height=h, width=w), lasts=not once
    )
