"""Folders as somebody makes them who means harm."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

# Deeper than Python may call itself.
DEEP = 1500


@contextlib.contextmanager
def deepened(top: Path, levels: int = DEEP) -> Iterator[None]:
    """While folders with a file each lie in each other in `top`. Whatever of it is left goes: pytest could not remove
    it."""
    top.mkdir(parents=True, exist_ok=True)
    try:
        at = os.open(top, os.O_RDONLY)
        for _ in range(levels):
            os.mkdir("d", dir_fd=at)
            os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=at))
            below = os.open("d", os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = below
        os.close(at)
        yield
    finally:
        subprocess.run(["rm", "-rf", top], check=True, timeout=60)
