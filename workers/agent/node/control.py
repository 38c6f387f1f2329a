"""Listens for what an agent is told on its own machine (`app.client.node_control`)."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from app.client.node_control import short_name

log = logging.getLogger("beanpole.agent")

# Who connects says what they want within so long. Seconds.
PATIENCE = 5.0
# How long to wait after nobody could be let in: too many files are open, say. Seconds.
PAUSE = 1.0


class Control:
    """A socket in the state folder, which its owner alone can use.

    Args:
        answer: the lines to answer to what was said, as they come.
    """

    def __init__(self, path: Path, answer: Callable[[str], Iterable[str]]) -> None:
        self._path, self._answer = path, answer
        self._socket: socket.socket | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Listen, in a thread. An agent that can't be told so runs all the same."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            with short_name(self._path) as name:
                # Nobody can connect before `listen`, so that it can be made private in between.
                listener.bind(name)
                os.chmod(name, 0o600)
            listener.listen(4)
        except OSError as exc:
            listener.close()
            log.warning("nobody can tell this agent that the machine shuts down: %s: %s", self._path, exc)
            return
        self._socket = listener
        threading.Thread(target=self._listen, args=(listener,), name="agent-control", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Closing alone would not wake who waits for a connection.
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._path.unlink(missing_ok=True)

    def _listen(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                line, _ = listener.accept()
            except OSError:
                self._stopping.wait(PAUSE)
                continue
            threading.Thread(target=self._serve, args=(line,), name="agent-control", daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        # Who asked may leave before the end: what was begun goes on.
        with line, contextlib.suppress(OSError):
            line.settimeout(PATIENCE)
            with line.makefile("r", errors="replace") as said:
                word = said.readline(100).strip()
            for text in self._answer(word):
                line.sendall(f"{text}\n".encode())
