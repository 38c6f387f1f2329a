"""What a runtime gives to whoever wants to talk to what runs: a command started for them, or a container's own
process."""

from __future__ import annotations

import contextlib
import os
import select
from typing import Protocol

STDOUT, STDERR = 1, 2
READ = 64 * 1024


class Interactive(Protocol):
    """A line to a process. One thread reads while another writes."""

    def read(self, timeout: float) -> tuple[int, bytes] | None:
        """`(STDOUT or STDERR, data)`, waiting up to `timeout` seconds; no data if none came, None at the end. With a
        terminal all is STDOUT."""
        ...

    def write(self, data: bytes, timeout: float) -> int:
        """Hand over input; how much of it was taken within `timeout` seconds. Raises OSError: it takes no more."""
        ...

    def end_input(self) -> None:
        """There is no more input."""
        ...

    def resize(self, width: int, height: int) -> None:
        """The terminal's size, in characters. Nothing without a terminal."""
        ...

    def exit_code(self) -> int | None:
        """How the command ended, once `read` has said that it has; waits for it. None for a container's own
        process."""
        ...

    def close(self) -> None:
        """Let go of it. A command that still runs is killed; a container is left alone."""
        ...


def write_some(fd: int, data: bytes, timeout: float) -> int:
    """Write to a descriptor that does not block what it takes within `timeout` seconds. Raises OSError."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    if not poll.poll(timeout * 1000):
        return 0
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0


def close_quietly(*fds: int) -> None:
    """Close what is open of these; -1 stands for none."""
    for fd in fds:
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)
