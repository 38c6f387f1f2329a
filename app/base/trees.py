"""Removing folders that somebody else wrote to, however deep they are and whatever rights they took from them.

Whoever runs in a pod may put folders into each other more often than a program can call itself or has descriptors, and
take the right to change them away. So what lies deep is moved up, next to what lies on top, before it is looked into:
two descriptors are open at any time. No link is followed, and what is mounted in the folder stays.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


def remove_tree(path: str | Path, *, dir_fd: int | None = None) -> None:
    """Remove the folder with all that is in it. `dir_fd`: what `path` is relative to, as in `os`.

    Raises:
        FileNotFoundError: there is none. NotADirectoryError: it is a file or a link.
        OSError: something could not be removed; all else is. Doing it again goes on where this ended.
    """
    empty_tree(path, dir_fd=dir_fd)
    os.rmdir(path, dir_fd=dir_fd)


def empty_tree(path: str | Path, *, dir_fd: int | None = None) -> None:
    """Remove all that is in the folder. Args, Raises: as `remove_tree`."""
    top = _open(path, dir_fd)
    try:
        _empty(top)
    finally:
        os.close(top)


def _empty(top: int) -> None:
    fresh = itertools.count()
    mount = _mount_of(top)
    # Not looked for anew: whoever goes on to put things into `top` would keep this from ever ending.
    lifted: deque[str] = deque()

    def clear(name: str) -> None:
        inner = _open(name, top)
        try:
            if _mount_of(inner) != mount:
                raise OSError(errno.EBUSY, "something is mounted there", name)
            failed = _each(inner, lambda below: lifted.append(_lift(below, inner, top, fresh)))
        finally:
            os.close(inner)
        if failed is not None:
            raise failed
        os.rmdir(name, dir_fd=top)

    failed = _each(top, clear)
    while lifted:
        try:
            clear(lifted.popleft())
        except FileNotFoundError:
            continue
        except OSError as exc:
            failed = failed or exc
    if failed is not None:
        raise failed


def _each(folder: int, act: Callable[[str], None]) -> OSError | None:
    """Remove the files of a folder, and do this with each folder in it. The first thing that failed."""
    with os.scandir(folder) as found:
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    failed: OSError | None = None
    for name, is_folder in entries:
        try:
            if is_folder:
                act(name)
            else:
                os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            continue
        except OSError as exc:
            failed = failed or exc
    return failed


def _lift(name: str, above: int, top: int, fresh: Iterator[int]) -> str:
    """Move a folder up into `top`, under a name that nothing there has. Returns the name."""
    _take(name, above)
    while True:
        new = f"..{next(fresh)}"
        try:
            os.rename(name, new, src_dir_fd=above, dst_dir_fd=top)
        except OSError as exc:
            if exc.errno not in _TAKEN:
                raise
        else:
            return new


def _mount_of(folder: int) -> str:
    """Which mount an open folder belongs to. Its device won't do: a folder of the same disk may be mounted."""
    told = Path(f"/proc/self/fdinfo/{folder}").read_text()
    return next((line for line in told.splitlines() if line.startswith("mnt_id:")), "")


def _open(path: str | Path, dir_fd: int | None) -> int:
    _take(path, dir_fd)
    return os.open(path, os.O_RDONLY | _FOLDER, dir_fd=dir_fd)


def _take(path: str | Path, dir_fd: int | None) -> None:
    """Give oneself the rights to change a folder of one's own; root has them."""
    if os.geteuid() == 0:
        return
    held = os.open(path, os.O_PATH | _FOLDER, dir_fd=dir_fd)
    try:
        # Somebody else's may be changed all the same; if not, that is seen when it is tried.
        with contextlib.suppress(OSError):
            os.chmod(f"/proc/self/fd/{held}", 0o700)
    finally:
        os.close(held)
