"""Talking to a container's own process: through its shim if it has an input or a terminal; otherwise there is but what
it says, which the log has."""

from __future__ import annotations

import contextlib
import queue
import select
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from workers.runtime import crilog
from workers.runtime.interactive import READ, STDERR, STDOUT, Interactive
from workers.runtime.process import attaching
from workers.runtime.process.attaching import HEAD
from workers.runtime.process.files import ContainerFolder
from workers.runtime.protocol import ContainerError

# Pieces of a log that may wait for whoever is attached.
AHEAD = 64
# How long a shim may take to answer. Seconds.
GREETING = 10.0


def line_to(folder: ContainerFolder | None, *, stdin: bool) -> Interactive:
    """A line to the process of the container in `folder`. Raises ContainerError: it does not run."""
    recorded = folder.recorded() if folder else None
    if folder is None or recorded is None or not recorded.main.alive():
        raise ContainerError("AttachError", "the container is not running")
    spec = folder.spec() or {}
    if not (spec.get("stdin") or spec.get("tty")):
        return Listening(folder.path / "log", recorded.shim.wait)
    try:
        return Attached(folder.path, stdin=stdin)
    except OSError as exc:
        raise ContainerError("AttachError", f"the container {folder.id} has just ended: {exc}") from exc


class Attached:
    """A line to a shim: `workers.runtime.interactive.Interactive`."""

    def __init__(self, folder: Path, *, stdin: bool) -> None:
        """Raises OSError: the container has ended, or has nothing to talk to."""
        self._socket = attaching.connect(str(folder))
        self._stdin = stdin
        self._rest = b""
        self._sending = threading.Lock()
        try:
            self._send(attaching.HELLO, b"1" if stdin else b"0")
            self._greeted()
        except BaseException:
            self._socket.close()
            raise

    def read(self, timeout: float) -> tuple[int, bytes] | None:
        while True:
            if len(self._rest) >= HEAD.size:
                stream, length = HEAD.unpack_from(self._rest)
                if len(self._rest) >= HEAD.size + length:
                    data = self._rest[HEAD.size : HEAD.size + length]
                    self._rest = self._rest[HEAD.size + length :]
                    return stream, data
            poll = select.poll()
            try:
                poll.register(self._socket.fileno(), select.POLLIN)
                if not poll.poll(timeout * 1000):
                    return STDOUT, b""
                data = self._socket.recv(READ)
            except (OSError, ValueError):
                return None
            if not data:
                return None
            self._rest += data

    def write(self, data: bytes, timeout: float) -> int:
        piece = data[:READ]
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLOUT)
        if not poll.poll(timeout * 1000):
            return 0
        self._send(attaching.INPUT, piece)
        return len(piece)

    def end_input(self) -> None:
        with contextlib.suppress(OSError):
            self._send(attaching.END, b"")

    def resize(self, width: int, height: int) -> None:
        with contextlib.suppress(OSError):
            self._send(attaching.RESIZE, b"%d %d" % (width, height))

    def exit_code(self) -> int | None:
        return None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _greeted(self) -> None:
        """Make sure that the shim has taken this user in. Raises OSError: it ended first."""
        self._socket.settimeout(GREETING)
        while len(self._rest) < HEAD.size:
            data = self._socket.recv(HEAD.size - len(self._rest))
            if not data:
                raise ConnectionResetError("it ended")
            self._rest += data
        self._socket.settimeout(None)
        self._rest = b""

    def _send(self, kind: int, data: bytes) -> None:
        with self._sending:
            self._socket.sendall(HEAD.pack(kind, len(data)) + data)


class Listening:
    """What a container says from now on, out of its log: `workers.runtime.interactive.Interactive`."""

    def __init__(self, log: Path, ended: Callable[[float], bool]) -> None:
        self._said: queue.Queue[tuple[int, bytes] | None] = queue.Queue(AHEAD)
        self._closed = threading.Event()
        self._log, self._ended = log, ended
        threading.Thread(target=self._follow, name="attach-log", daemon=True).start()

    def read(self, timeout: float) -> tuple[int, bytes] | None:
        try:
            return self._said.get(timeout=timeout)
        except queue.Empty:
            return STDOUT, b""

    def write(self, data: bytes, timeout: float) -> int:
        raise BrokenPipeError("the container takes no input")

    def end_input(self) -> None:
        """It has none."""

    def resize(self, width: int, height: int) -> None:
        """It has no terminal."""

    def exit_code(self) -> int | None:
        return None

    def close(self) -> None:
        self._closed.set()

    def _follow(self) -> None:
        def ended(seconds: float) -> bool:
            return self._closed.is_set() or self._ended(seconds)

        try:
            for stream, text in crilog.new_lines(self._log, ended):
                if not self._put((STDERR if stream == b"stderr" else STDOUT, text)):
                    return
        finally:
            self._put(None)

    def _put(self, said: tuple[int, bytes] | None) -> bool:
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._said.put(said, timeout=1.0)
                return True
        return False
