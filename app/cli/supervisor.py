"""The supervisor: keeps a Procfile's programs running on one machine, and shows what they print."""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from app.base.clock import Clock

PR_SET_PDEATHSIG = 1

# A program that dies is started again at once; one that keeps dying, ever later up to this. Seconds.
SLOWEST_RESTART = 10.0
# One that ran this long is taken to be well again. Seconds.
WELL_AFTER = 30.0
# What a program gets to stop by itself before it is killed. Seconds.
STOP_SECONDS = 10.0


@dataclass
class Program:
    """One program: how to start it, and how it is doing."""

    name: str
    command: list[str]
    environ: Mapping[str, str]
    colour: str = ""
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    due: float | None = None
    unfinished: bytes = b""
    on_start: Callable[[subprocess.Popen[bytes]], None] = field(default=lambda process: None)


class Supervisor:
    """Runs programs, each in a process group of its own, so that a Ctrl-C reaches this one alone."""

    def __init__(self, clock: Clock, output: IO[str] = sys.stderr) -> None:
        self._clock = clock
        self._programs: list[Program] = []
        self._printer = Printer(output=output, width=8)
        self._colours = get_colours()
        self._selector = selectors.DefaultSelector()
        self._stopping = False

    def start(self, program: Program) -> subprocess.Popen[bytes]:
        """Start it, and from now on again whenever it dies."""
        program.colour = next(self._colours)
        self._programs.append(program)
        return self._spawn(program)

    def stop(self) -> None:
        """End everything, the last started first, each before the one it leans on."""
        self._stopping = True
        for program in reversed(self._programs):
            process = program.process
            if process is None or process.poll() is not None:
                continue
            self._signal(process, signal.SIGTERM)
            deadline = self._clock.monotonic() + STOP_SECONDS
            while process.poll() is None and self._clock.monotonic() < deadline:
                self._pump(0.05)
            if process.poll() is None:
                self.say(f"{program.name} did not stop; killing it")
                self._signal(process, signal.SIGKILL)
                process.wait()
        self._pump(0)

    def run_for(self, seconds: float) -> None:
        """Look after the programs for about `seconds`."""
        self._pump(seconds)
        now = self._clock.monotonic()
        for program in self._programs:
            if program.process is not None and program.process.poll() is not None:
                self._bury(program, now)
            if program.due is not None and program.due <= now:
                self._spawn(program)

    def alive(self, name: str) -> bool:
        return any(
            p.name == name and p.process is not None and p.process.poll() is None for p in self._programs
        )

    def say(self, line: str, name: str = "up") -> None:
        """Print a line of our own among the programs'."""
        self._print(name, line.encode(), None)

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            program.command,
            env=dict(program.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, program)
        program.process, program.started, program.due = process, self._clock.monotonic(), None
        program.on_start(process)
        return process

    def _bury(self, program: Program, now: float) -> None:
        assert program.process is not None
        code = program.process.returncode
        program.deaths = 0 if now - program.started > WELL_AFTER else program.deaths + 1
        delay = 0.0 if program.deaths <= 1 else min(0.5 * 2 ** (program.deaths - 2), SLOWEST_RESTART)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        again = f"in {delay:g} s" if delay else "now"
        self.say(f"{program.name} {how}; starting it again {again}")
        program.process, program.due = None, now + delay

    def _pump(self, seconds: float) -> None:
        """Pass on what the programs print, for at most `seconds`."""
        for key, _ in self._selector.select(seconds):
            program: Program = key.data
            try:
                data = os.read(key.fd, 65536)
            except BlockingIOError:
                continue
            if not data:
                self._selector.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
                lines, program.unfinished = [program.unfinished] if program.unfinished else [], b""
            else:
                *lines, program.unfinished = (program.unfinished + data).split(b"\n")
            for line in lines:
                self._print(program.name, line, program.colour)

    def _print(self, name: str, line: bytes, colour: str | None) -> None:
        moment = datetime.fromtimestamp(self._clock.now())
        # Whoever read the lines may be gone (`up | head`); the programs matter more.
        with contextlib.suppress(BrokenPipeError):
            self._printer.write(Message("line", line or b" ", moment, name, colour))

    @staticmethod
    def _signal(process: subprocess.Popen[bytes], number: int) -> None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            process.send_signal(number)


_libc = ctypes.CDLL(None, use_errno=True)


def _end_with_parent() -> None:
    """In the new process: be told to stop if the supervisor is killed, so that nothing is left behind to hold
    the state folder and the port (prctl(2))."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
