"""How a container ends: by itself, by being stopped, or because its supervisor was killed."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

from app.base.clock import Clock
from workers.runtime.process import holding
from workers.runtime.process.files import ContainerFolder, Recorded
from workers.runtime.process.procfs import Process, marked

# How long a process may take to vanish after SIGKILL, in seconds.
KILL_WAIT = 10.0
KILLED = 128 + signal.SIGKILL
LOST = "the process that supervised it was killed"


def current(folder: ContainerFolder, boot: str, now: float) -> Recorded | None:
    """What is so now, which is not what the shim wrote if it was killed or the machine booted since."""
    recorded = folder.recorded()
    if recorded is None or recorded.exit_code is not None:
        return recorded
    if recorded.boot == boot and recorded.shim.alive():
        return recorded
    # It may have written the end just after it was read above.
    recorded = folder.recorded()
    if recorded is None or recorded.exit_code is not None:
        return recorded
    return replace(recorded, exit_code=KILLED, finished_at=now, message=LOST)


def reap(folder: ContainerFolder, boot: str, now: float) -> None:
    """See to what a dead container left: its group, whatever left the group, and a missing record of the end.
    One that runs is left alone."""
    with folder.ending:
        before = folder.recorded()
        after = current(folder, boot, now)
        if after is None or after.exit_code is None:
            return
        if before is not None and before.exit_code is None:
            if after.boot == boot:
                after.main.kill_group(signal.SIGKILL)
            if after.message:
                folder.record(after)
        sweep(folder)
        holding.end(folder)


def stop(folder: ContainerFolder, boot: str, grace: float, clock: Clock) -> None:
    """SIGTERM, or the signal it wants, to the group; SIGKILL after `grace` seconds. Returns when all of it is dead.

    Raises:
        TimeoutError: it did not die of SIGKILL either (it hangs in the kernel).
    """
    recorded = current(folder, boot, clock.now())
    if recorded is None:
        return
    if recorded.exit_code is None:
        if grace > 0:
            recorded.main.kill_group(number((folder.spec() or {}).get("stop_signal") or "SIGTERM"))
        if grace <= 0 or not recorded.shim.wait(grace):
            recorded.main.kill_group(signal.SIGKILL)
            if not recorded.shim.wait(KILL_WAIT):
                # Its record of the end is lost with it; `reap` makes one up.
                recorded.shim.kill(signal.SIGKILL)
                if not recorded.main.wait(KILL_WAIT):
                    raise TimeoutError(f"container {folder.id} does not die of SIGKILL")
    reap(folder, boot, clock.now())


def number(name: str) -> int:
    """A signal's number by its name, such as SIGUSR1 or SIGRTMIN+3."""
    for base, sign in (("SIGRTMIN", "+"), ("SIGRTMAX", "-")):
        if name.startswith(base + sign):
            return signal.Signals[base] + int(name.removeprefix(base))
    return int(signal.Signals[name])


def sweep(folder: ContainerFolder) -> None:
    """Kill what a dead container left behind outside its process group."""
    for process in marked(folder.id):
        if process.pid != os.getpid():
            process.kill(signal.SIGKILL)


def is_private(main: Process) -> bool:
    """Whether a process has a mount namespace of its own."""
    try:
        return os.readlink(f"/proc/{main.pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt")
    except OSError:
        return False
