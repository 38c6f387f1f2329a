"""A command in a container, or a container's own process, for somebody who talks to it: over one connection that the
engine hands over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import docker
import docker.errors

from app.base.clock import Clock, parse_rfc3339
from workers.runtime.docker.engine import translated
from workers.runtime.docker.execute import NOTED, kill
from workers.runtime.docker.stream import Stream, ends_input
from workers.runtime.protocol import ContainerError

# A container that started so lately is taken to be awaiting its first user. Seconds.
FRESH = 10.0
NO_END = "an engine that is reached by TLS can't be told that there is no more input; ask for a terminal"


class Line:
    """A line to something in a container: `workers.runtime.interactive.Interactive` but for what is at its end.

    Args:
        handed: what the SDK hands out. lasts: its input outlives this line, which must not end it. resize: tells the
            engine a terminal's width and height.
    """

    def __init__(
        self, handed: Any, *, tty: bool, resize: Callable[[int, int], None], lasts: bool = False
    ) -> None:
        self._stream = Stream(handed, framed=not tty)
        self._tty, self._resize, self._lasts = tty, resize, lasts

    def read(self, timeout: float) -> tuple[int, bytes] | None:
        return self._stream.read(timeout)

    def write(self, data: bytes, timeout: float) -> int:
        return self._stream.write(data, timeout)

    def end_input(self) -> None:
        if self._lasts:
            # The engine would end the output, too.
            return
        with contextlib.suppress(OSError):
            if self._tty:
                self.write(b"\x04", 0.1)
            else:
                self._stream.end_input()

    def resize(self, width: int, height: int) -> None:
        if self._tty:
            # A command that has just ended has no terminal any more.
            with contextlib.suppress(docker.errors.APIError):
                self._resize(width, height)

    def exit_code(self) -> int | None:
        return None

    def close(self) -> None:
        self._stream.close()


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
        if stdin and not tty and not ends_input(client):
            raise ContainerError("ExecError", NO_END)
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
        if stdin and once and not tty and not ends_input(client):
            raise ContainerError("AttachError", NO_END)
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
