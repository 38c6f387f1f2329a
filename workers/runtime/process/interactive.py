"""A command inside a container, for somebody who talks to it: over pipes, or over a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import threading
from dataclasses import replace

from workers.runtime.interactive import READ, STDERR, STDOUT, close_quietly, write_some
from workers.runtime.process import launch
from workers.runtime.process.procfs import kill_child
from workers.runtime.protocol import ContainerError

# After the command has ended, what it printed before is still read. Seconds.
LINGER = 0.2


def begin(told: launch.Launch, *, stdin: bool, tty: bool) -> Command:
    """Start a command. Raises ContainerError: there are no more processes, descriptors or terminals."""
    if tty:
        told = replace(told, env={"TERM": "xterm", **told.env})
    try:
        return Command(told, stdin=stdin, tty=tty)
    except OSError as exc:
        raise ContainerError("ExecError", str(exc)) from exc


class Command:
    """See `workers.runtime.interactive.Interactive`."""

    def __init__(self, told: launch.Launch, *, stdin: bool, tty: bool) -> None:
        """Start it.

        Raises:
            OSError: there are no more processes, descriptors or terminals.
        """
        self._tty = tty
        self._lock = threading.Lock()
        # Held by whoever reads: what is read from must not be closed meanwhile, for its number may be another's at once.
        self._reading = threading.Lock()
        self._closed = False
        theirs: tuple[int, int, int]
        if tty:
            self._in, slave = pty.openpty()
            self._outputs = {self._in: STDOUT}
            theirs = (slave, slave, slave)
        else:
            given, self._in = os.pipe() if stdin else (os.open(os.devnull, os.O_RDONLY), -1)
            out, out_end = os.pipe()
            err, err_end = os.pipe()
            self._outputs = {out: STDOUT, err: STDERR}
            theirs = (given, out_end, err_end)
        try:
            self._process: subprocess.Popen[bytes] = launch.talking(told, theirs, tty)
        except BaseException:
            close_quietly(self._in, *self._outputs)
            raise
        finally:
            close_quietly(*set(theirs))
        self._ended = os.pidfd_open(self._process.pid)
        self._poll = select.poll()
        for fd in (*self._outputs, self._ended):
            os.set_blocking(fd, False)
            self._poll.register(fd, select.POLLIN)
        if self._in >= 0:
            os.set_blocking(self._in, False)
        self._over = False

    def read(self, timeout: float) -> tuple[int, bytes] | None:
        with self._reading:
            return None if self._closed else self._read(timeout)

    def _read(self, timeout: float) -> tuple[int, bytes] | None:
        while True:
            wait = LINGER if self._over else timeout
            ready = [fd for fd, _ in self._poll.poll(wait * 1000)]
            for fd in [each for each in ready if each in self._outputs]:
                try:
                    data = os.read(fd, READ)
                except BlockingIOError:
                    continue
                except OSError:
                    # The last holder of the terminal has gone.
                    data = b""
                if data:
                    return self._outputs[fd], data
                self._poll.unregister(fd)
                self._outputs = {each: name for each, name in self._outputs.items() if each != fd}
                if fd != self._in:
                    close_quietly(fd)
            if self._ended in ready:
                self._poll.unregister(self._ended)
                self._over = True
            elif not ready and self._over:
                # Something it left behind holds its output open; nobody waits for that.
                return None
            elif not ready:
                return STDOUT, b""
            if self._over and not self._outputs:
                return None

    def write(self, data: bytes, timeout: float) -> int:
        with self._lock:
            fd = self._in
        if fd < 0:
            raise BrokenPipeError("no more input is taken")
        return write_some(fd, data, timeout)

    def end_input(self) -> None:
        if self._tty:
            # Ctrl-D, as a person would.
            with self._lock:
                if self._in >= 0:
                    write_some(self._in, b"\x04", 0.1)
            return
        with self._lock:
            fd, self._in = self._in, -1
        close_quietly(fd)

    def resize(self, width: int, height: int) -> None:
        if self._tty:
            with self._lock:
                if self._in >= 0:
                    fcntl.ioctl(self._in, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def exit_code(self) -> int | None:
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            fd, self._in = self._in, -1
        if self._process.poll() is None:
            kill_child(self._process.pid)
            self._process.wait()
        # The end of the command wakes who reads.
        with self._reading:
            close_quietly(fd, self._ended, *[each for each in self._outputs if each != fd])
