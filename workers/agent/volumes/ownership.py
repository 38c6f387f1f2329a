"""Giving a volume to the pod's group (`fsGroup`).

https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#set-the-security-context-for-a-pod; which bits
as in pkg/volume/volume_linux.go.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from app.objects.change import Object

# What the group gets on top: to read and write files, and to look into folders, where new files become the group's.
FILES = 0o660
FOLDERS = FILES | 0o110 | stat.S_ISGID
ON_MISMATCH = "OnRootMismatch"
# So many folders may be in each other: each of them is open while those in it are gone through.
DEEPEST = 512


def group_of(pod: Object) -> int | None:
    """The pod's group for volumes; None if it has none."""
    found = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    return None if found is None else int(found)


def always(pod: Object) -> bool:
    """Whether all of a volume is gone through, also if its top looks right already (`fsGroupChangePolicy`)."""
    policy = (pod["spec"].get("securityContext") or {}).get("fsGroupChangePolicy")
    return policy != ON_MISMATCH


def belongs_to(top: Path, group: int) -> bool:
    """Whether the top of a volume is the group's already. It is given last, so then all below was given too."""
    found = top.stat()
    return found.st_gid == group and found.st_mode & FOLDERS == FOLDERS


def give(top: Path, group: int) -> None:
    """Let the group read and write all that is in the folder. No link is followed, and what is mounted in it is left.

    Raises:
        OSError: the machine refused: only root may give files to groups that it is not in. Or there are too many folders
            in each other.
    """
    top = top.resolve()
    device = top.stat().st_dev
    for folder, names in _below(top, device):
        for name in names:
            _give(folder, name, group, FILES)
    for folder, names in _below(top, device, folders=True):
        for name in names:
            _give(folder, name, group, FOLDERS)
    os.chown(top, -1, group)
    top.chmod(stat.S_IMODE(top.stat().st_mode) | FOLDERS)


def _below(top: Path, device: int, *, folders: bool = False) -> Iterator[tuple[int, list[str]]]:
    above = os.fspath(top).count("/")
    for path, inner, files, fd in os.fwalk(top, follow_symlinks=False):
        if path.count("/") - above >= DEEPEST:
            raise OSError(errno.ELOOP, "too many folders in each other", os.fspath(top))
        # In place: what is left out is not gone into.
        inner[:] = [name for name in inner if _is_folder_of(fd, name, device)]
        yield fd, list(inner) if folders else files


def _is_folder_of(above: int, name: str, device: int) -> bool:
    try:
        found = os.stat(name, dir_fd=above, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_dev == device


def _give(above: int, name: str, group: int, bits: int) -> None:
    try:
        held = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    except FileNotFoundError:
        return
    try:
        found = os.fstat(held)
        path = f"/proc/self/fd/{held}"
        if stat.S_ISLNK(found.st_mode):
            # A link has an owner and no mode, and what it leads to may be anything.
            os.chown(name, -1, group, dir_fd=above, follow_symlinks=False)
            return
        if found.st_gid != group:
            os.chown(path, -1, group)
        wanted = stat.S_IMODE(found.st_mode) | bits
        if found.st_gid != group or wanted != stat.S_IMODE(found.st_mode):
            os.chmod(path, wanted)
    finally:
        os.close(held)
