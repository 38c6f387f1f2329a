"""How much of the disk a folder takes, and what a runtime has besides that can tell it of containers."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from workers.runtime.protocol import PodRef

# In these the kernel counts blocks, whatever the file system's own are. Bytes.
BLOCK = 512


@runtime_checkable
class TellsDisk(Protocol):
    """Runtimes whose `features` have `Feature.EPHEMERAL_STORAGE`."""

    def disk_used(self, pod: PodRef) -> Mapping[str, int]:
        """Bytes that each container of a pod has written outside its volumes, and that its log takes. Raises
        ContainerError."""
        ...


def of_folder(folder: Path) -> int:
    """Bytes that a folder with all in it takes, as `du -x` counts: a file of several names once, nothing that is mounted
    below. What vanishes meanwhile or can't be read is not counted."""
    try:
        device = os.lstat(folder).st_dev
    except OSError:
        return 0
    total, seen, left = 0, set(), [os.fspath(folder)]
    while left:
        with contextlib.suppress(OSError), os.scandir(left.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    info = entry.stat(follow_symlinks=False)
                    if info.st_dev != device:
                        continue
                    if info.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                        if info.st_ino in seen:
                            continue
                        seen.add(info.st_ino)
                    total += info.st_blocks * BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
    return total


def of_files(*paths: Path) -> int:
    """Bytes that these files take; those that are not there take none."""
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):
            total += os.lstat(path).st_blocks * BLOCK
    return total
