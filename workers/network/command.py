"""Running the machine's own network tools."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

TIMEOUT_SECONDS = 20.0


def run(argv: Sequence[str], text: str = "") -> tuple[int, str]:
    """Run a program with `text` on its standard input; its exit code, and what it printed, or why it
    could not be run (code 127). Never raises for what the program does."""
    try:
        done = subprocess.run(
            list(argv), input=text, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except FileNotFoundError:
        return 127, f"{argv[0]} is not installed"
    except (OSError, subprocess.TimeoutExpired) as exc:
        return 126, f"{argv[0]}: {exc}"
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr or done.stdout
