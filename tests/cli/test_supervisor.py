"""The supervisor: what it starts runs, is started again when it dies, and is gone when it stops."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.base.clock import SystemClock
from app.cli.supervisor import SLOWEST_RESTART, WELL_AFTER, Program, Supervisor


class AheadClock(SystemClock):
    """The real clock, which can be put forward."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Watched:
    """A supervisor, what it printed, and its clock."""

    def __init__(self) -> None:
        self.clock = AheadClock()
        self.output = io.StringIO()
        self.supervisor = Supervisor(self.clock, self.output)

    def start(self, name: str, script: str) -> subprocess.Popen[bytes]:
        return self.supervisor.start(Program(name, ["sh", "-c", script], dict(os.environ)))

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(2000):
            if condition():
                return
            self.supervisor.run_for(0.01)
        raise AssertionError(self.output.getvalue())

    def said(self, words: str) -> bool:
        return words in self.output.getvalue()


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.supervisor.stop()


def test_what_a_program_prints_is_shown_with_its_name(watched: Watched) -> None:
    watched.start("speaker", "echo one; printf unfinished; sleep 1000")
    watched.until(lambda: watched.said("one"))
    assert re.search(r"speaker +\| .*one", watched.output.getvalue())
    assert not watched.said("unfinished")


def test_a_program_that_died_is_started_again_at_once(watched: Watched) -> None:
    first = watched.start("web", "sleep 1000")
    first.kill()
    watched.until(lambda: watched.said("web was killed by SIGKILL; starting it again now"))
    watched.until(lambda: watched.supervisor.alive("web"))
    assert first.poll() == -9


def test_one_that_keeps_dying_is_started_ever_later(watched: Watched) -> None:
    watched.start("bad", "exit 3")
    delays = []
    for _ in range(8):
        told = watched.output.getvalue().count("bad ended with code 3")
        watched.until(lambda told=told: watched.output.getvalue().count("bad ended with code 3") > told)  # type: ignore[misc]
        last = re.findall(r"starting it again (now|in [\d.]+ s)", watched.output.getvalue())[-1]
        delays.append(0.0 if last == "now" else float(last.split()[1]))
        watched.clock.ahead += delays[-1]
    assert delays == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, SLOWEST_RESTART, SLOWEST_RESTART]


def test_one_that_ran_well_for_a_while_is_forgiven(watched: Watched) -> None:
    process = watched.start("web", "sleep 1000")
    for _ in range(3):
        watched.clock.ahead += WELL_AFTER + 1
        process.kill()
        deaths = watched.output.getvalue().count("was killed")
        watched.until(lambda deaths=deaths: watched.output.getvalue().count("was killed") > deaths)  # type: ignore[misc]
        watched.until(lambda: watched.supervisor.alive("web"))
        process = watched.supervisor._programs[0].process  # type: ignore[assignment]
    assert "starting it again in" not in watched.output.getvalue()


def test_stopping_ends_all_the_last_started_first(watched: Watched, tmp_path: Path) -> None:
    for name in ("first", "second"):
        watched.start(name, f"trap 'echo {name} >>{tmp_path}/order; exit 0' TERM; echo up; sleep 1000 & wait")
    watched.until(lambda: watched.output.getvalue().count("| up") == 2)
    watched.supervisor.stop()
    assert (tmp_path / "order").read_text() == "second\nfirst\n"
    assert not watched.supervisor.alive("first")


def has_ended(pid: int) -> bool:
    try:
        return " Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


def test_stopping_takes_a_programs_children_along(watched: Watched) -> None:
    watched.start("parent", "sleep 1000 & echo child $!; wait")
    watched.until(lambda: watched.said("child "))
    child = int(re.findall(r"child (\d+)", watched.output.getvalue())[0])
    watched.supervisor.stop()
    # It was told, too, and is awaited by nobody.
    watched.until(lambda: has_ended(child))


def test_one_that_does_not_stop_is_killed(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.supervisor.STOP_SECONDS", 0.2)
    process = watched.start("stubborn", "trap '' TERM; echo up; while :; do sleep 1; done")
    watched.until(lambda: watched.said("| up"))
    watched.supervisor.stop()
    assert watched.said("stubborn did not stop; killing it")
    assert process.poll() == -signal.SIGKILL


def test_programs_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import os, sys
        from app.base.clock import SystemClock
        from app.cli.supervisor import Program, Supervisor
        supervisor = Supervisor(SystemClock())
        process = supervisor.start(Program("web", ["sleep", "1000"], dict(os.environ)))
        print(process.pid, flush=True)
        sys.stdin.read()
    """)
    supervisor = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    descriptor = os.pidfd_open(pid)
    supervisor.kill()
    supervisor.communicate()
    import select

    assert select.select([descriptor], [], [], 20)[0], "the program runs on"
    os.close(descriptor)


def test_a_reader_that_went_away_does_not_end_the_supervisor() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    Supervisor(SystemClock(), Gone()).say("into the void")
