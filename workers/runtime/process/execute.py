"""Running a command inside a container: its output, its exit code, and its end when time is up."""

from __future__ import annotations

import os
import select
import signal

from app.base.clock import Clock
from workers.runtime.process import launch

# As kubelet's (maxRespBodyLength of probes): the first 10 KiB are kept.
OUTPUT_MAX = 10 * 1024


def run(told: launch.Launch, timeout: float, clock: Clock) -> tuple[int, bytes]:
    """The exit code and first 10 KiB of output.

    Raises:
        TimeoutError: it was not done within `timeout` seconds; it and its group are killed.
    """
    process = launch.inside(told)
    assert process.stdout is not None
    output = bytearray()
    deadline = clock.monotonic() + timeout
    pipe, ended = process.stdout.fileno(), os.pidfd_open(process.pid)
    poll = select.poll()
    for fd in (pipe, ended):
        poll.register(fd, select.POLLIN)
    try:
        while True:
            left = deadline - clock.monotonic()
            if left <= 0:
                raise TimeoutError(f"command {told.command[0]!r} timed out after {timeout:g} s")
            ready = [fd for fd, _ in poll.poll(left * 1000)]
            if pipe in ready:
                data = os.read(pipe, 65536)
                output += data[: OUTPUT_MAX - len(output)]
                if not data:
                    poll.unregister(pipe)
            elif ended in ready:
                break
    finally:
        os.close(ended)
        _end(process.pid)
        code = process.wait()
        process.stdout.close()
    return code if code >= 0 else 128 - code, bytes(output)


def _end(pid: int) -> None:
    # Not reaped yet, so the number is still this group's. Before its setsid there is no such group.
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
