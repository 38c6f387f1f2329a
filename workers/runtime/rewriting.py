"""Changing a file that containers have mounted: it has to stay the same file."""

from __future__ import annotations

import os
from pathlib import Path

from workers.runtime.protocol import ContainerError


def rewrite(path: Path, text: str) -> bool:
    """Give an existing file new contents in place. Whether that took writing: one that has them already is left
    alone, and so is one that is not there.

    Who reads meanwhile sees the old lines or the new ones, never half a file: all is written by one call, with
    empty lines where the old contents were longer, and cut afterwards.

    Raises:
        ContainerError: the file can't be written; says why.
    """
    wanted = text.encode()
    try:
        if path.read_bytes() == wanted:
            return False
        descriptor = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return False
    except OSError as exc:
        raise _failed(path, exc) from exc
    try:
        os.pwrite(descriptor, wanted.ljust(os.fstat(descriptor).st_size, b"\n"), 0)
        os.ftruncate(descriptor, len(wanted))
    except OSError as exc:
        raise _failed(path, exc) from exc
    finally:
        os.close(descriptor)
    return True


def _failed(path: Path, exc: OSError) -> ContainerError:
    return ContainerError("HostsFileFailed", f"{path} can't be written: {exc.strerror}")
