"""The `beanpole` command as a user runs it, in a folder of the test's own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def clean_environ(**more: str) -> dict[str, str]:
    """This process's environment without Beanpole's settings, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BEANPOLE_")}
    return {**kept, **more}


def beanpole(*words: object, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [str(BIN / "beanpole"), *map(str, words)],
        cwd=ROOT,
        env=clean_environ(**environ),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence with which a command failed; asserts that it is one, with code 1 and no traceback."""
    printed = done.stdout + done.stderr
    assert done.returncode == 1, printed
    assert "Traceback" not in printed
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, printed
    assert done.stderr.splitlines()[-1] == errors[0]
    return errors[0].removeprefix("Error: ")


def supervised(state: Path) -> list[str]:
    """Command lines of programs that run with this state folder in their environment or command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if re.search(re.escape(str(state)) + r"[/\0]", words.decode(errors="replace")):
            found.append(words.decode(errors="replace")[:200])
    return found
