"""A disk that is soon full: a file on a loop device."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

MEGABYTE = 1 << 20


def lacking() -> str:
    """Why this machine can't have one; empty if it can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    missing = [program for program in ("mkfs.ext4", "mount", "umount") if shutil.which(program) is None]
    if missing:
        return f"no {', '.join(missing)} on this machine"
    return "" if Path("/dev/loop-control").exists() else "no loop devices on this machine"


class SmallDisk:
    """Mounted at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave no space, not even root's share."""
        with self._ballast.open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
            for piece in (MEGABYTE, 4096, 1):
                with contextlib.suppress(OSError):
                    while ballast.write(b"\0" * piece):
                        pass

    def relieve(self) -> None:
        self._ballast.unlink()


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A disk of that size at `folder/disk`."""
    image, path = folder / "disk.image", folder / "disk"
    path.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes * MEGABYTE)
    _done("mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", str(image))
    _done("mount", "-o", "loop", str(image), str(path))
    try:
        yield SmallDisk(path)
    finally:
        _done("umount", str(path))
        image.unlink()


def _done(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
