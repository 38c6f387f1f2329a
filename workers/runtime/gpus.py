"""The GPUs of this machine, as their maker's own program lists them."""

from __future__ import annotations

import shutil
import subprocess

PROGRAM = "nvidia-smi"
ASKED = ("--query-gpu=uuid", "--format=csv,noheader")
PATIENCE = 10.0


def found(program: str = PROGRAM) -> tuple[str, ...]:
    """Their ids, such as `GPU-5a6b...`; none where the program is missing or fails."""
    path = shutil.which(program)
    if path is None:
        return ()
    try:
        said = subprocess.run(
            [path, *ASKED], capture_output=True, text=True, timeout=PATIENCE, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in said.splitlines() if line.strip())
