"""Running a command inside a container: its output, its exit code, and its end when time is up."""

from __future__ import annotations

import os
import select

from app.base.clock import Clock
from workers.runtime.process import launch
from workers.runtime.process.procfs import kill_child
from workers.runtime.protocol import ContainerError

# As kubelet's (maxRespBodyLength of probes): the first 10 KiB are kept.
OUTPUT_MAX = 10 * 1024


def run(told: launch.Launch, timeout: float, clock: Clock) -> tuple[int, bytes]:
    """The exit code and first 10 KiB of output.

    Raises:
        TimeoutError: it was not done within `timeout` seconds; it and its group are killed. ContainerError: there are
            no more processes or descriptors.
    """
    try:
        process = launch.inside(told)
    except OSError as exc:
        raise ContainerError("ExecError", str(exc)) from exc
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
        kill_child(process.pid)
        code = process.wait()
        process.stdout.close()
    return code if code >= 0 else 128 - code, bytes(output)
