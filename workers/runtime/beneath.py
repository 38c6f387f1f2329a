"""Opening what lies in a folder without ever being led out of it.

A pod can put a symbolic link wherever a `subPath` is looked for, and replace a folder by one at any instant. The kernel
resolves the path and holds the result in one step (openat2(2), RESOLVE_BENEATH; Linux 5.6). Uses little of the standard
library: the processes of the process runtime import it between fork and exec.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat

_OPENAT2 = 437  # the same number on every architecture
_RESOLVE_NO_MAGICLINKS, _RESOLVE_BENEATH = 0x02, 0x08
_AGAIN = 100

_libc = ctypes.CDLL(None, use_errno=True)


class LeadsOut(OSError):
    """The path leads out of its folder."""


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(folder: int, path: str, flags: int = os.O_PATH) -> int:
    """A descriptor of what `path` names in the folder that `folder` is open on. Links are followed within it.

    Raises:
        LeadsOut: it names something outside. OSError: it can't be opened.
    """
    how = _How(flags | os.O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)
    # While something in it is being renamed the kernel can't tell where `..` leads, and asks to be asked again.
    for _ in range(_AGAIN):
        found = _libc.syscall(
            ctypes.c_long(_OPENAT2), folder, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how)
        )
        if found >= 0:
            return int(found)
        number = ctypes.get_errno()
        if number != errno.EAGAIN:
            break
    if number == errno.EXDEV:
        raise LeadsOut(number, "leads out of its volume", path)
    raise OSError(number, os.strerror(number), path)


def make_beneath(root: str | os.PathLike[str], path: str) -> None:
    """See that `path` exists in the folder `root`: what is missing is made as folders with the mode of `root`
    (pkg/volume/util/subpath: SafeMakeDir). Raises LeadsOut, OSError."""
    top = os.open(root, os.O_PATH | os.O_CLOEXEC)
    try:
        os.close(_made(top, [part for part in path.split("/") if part not in ("", ".")]))
    finally:
        os.close(top)


def _made(top: int, parts: list[str]) -> int:
    mode = stat.S_IMODE(os.fstat(top).st_mode)
    for done in range(1, len(parts) + 1):
        whole = "/".join(parts[:done])
        try:
            os.close(open_beneath(top, whole))
        except FileNotFoundError:
            above = open_beneath(top, "/".join(parts[: done - 1]) or ".", os.O_PATH | os.O_DIRECTORY)
            try:
                _make_folder(above, parts[done - 1], mode)
            finally:
                os.close(above)
    return open_beneath(top, "/".join(parts) or ".")


def _make_folder(above: int, name: str, mode: int) -> None:
    try:
        os.mkdir(name, 0o700, dir_fd=above)
    except FileExistsError:
        return
    # Whoever runs in the pod may have put something else there meanwhile: then this fails.
    made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    try:
        os.fchmod(made, mode)
    finally:
        os.close(made)
