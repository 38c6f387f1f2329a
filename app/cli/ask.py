"""Asking the workers' side something: `app` never imports `workers`, so it runs one of their programs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from app.base.errors import UserError


def ask(module: str, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """What `python -m <module> <arguments>` prints, with `environ` on top of this process's environment.

    Raises:
        UserError: it failed; the last line it wrote to stderr.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environ or {})},
        # A Ctrl-C at the terminal is for the command, which then decides what becomes of this.
        start_new_session=True,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"{module} ended with code {done.returncode}"]
        raise UserError(lines[-1])
    return done.stdout.strip()
