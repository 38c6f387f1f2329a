"""Files that change together: whoever reads them sees one version or the next, and never a mix.

As kubelet's AtomicWriter does (pkg/volume/util/atomic_writer.go): the files of a version lie in a folder of their own to
which `..data` points, what users see are links through `..data`, and a change is one rename of that link.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

DATA, FRESH = "..data", "..data_new"
# What a group gets that the files are for, on top of their modes: to read files, and to look into folders; and new files
# are the group's (pkg/volume/volume_linux.go, for volumes that are not written to).
GROUP_READS, GROUP_FOLDER = 0o440, stat.S_ISGID | 0o550


@dataclass(frozen=True, slots=True)
class File:
    """Content and mode of one file. `user`: who owns it; None is the agent."""

    content: bytes
    mode: int = 0o644
    user: int | None = None


# By their paths inside the volume.
Files = dict[str, File]


def write_atomically(folder: Path, files: Files, group: int | None = None) -> bool:
    """Make `folder` hold just these files, in one step for whoever reads it. Whether anything changed.

    Args:
        group: whose they are as well, to read; None is the agent's, with no more rights than the modes give.

    Raises:
        OSError: the machine refused. Doing it again goes on where this ended.
    """
    version = f"..{_digest(files, group)}"
    data = folder / DATA
    changed = not (data.is_symlink() and os.readlink(data) == version)
    if changed:
        folder.mkdir(parents=True, exist_ok=True)
        _give(folder, None, group, _folder_mode(group))
        _make_version(folder / version, files, group)
        # Links first: one that leads nowhere yet misleads nobody, and afterwards there is only one step to take.
        _link(folder, files)
        fresh = folder / FRESH
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(version)
        fresh.rename(data)
    _tidy(folder, {DATA, version, *_tops(files)})
    return changed


def _make_version(fresh: Path, files: Files, group: int | None) -> None:
    # What an interrupted attempt left may be half done.
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    folders = {fresh}
    for path, file in files.items():
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        folders.update(above for above in target.parents if above.is_relative_to(fresh))
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as opened:
            opened.write(file.content)
        mode = file.mode | (0 if group is None else GROUP_READS)
        _give(target, file.user, group, mode)
    for folder in folders:
        _give(folder, None, group, _folder_mode(group))


def _folder_mode(group: int | None) -> int:
    return 0o755 | (0 if group is None else GROUP_FOLDER)


def _give(path: Path, user: int | None, group: int | None, mode: int) -> None:
    if user is not None or group is not None:
        os.chown(path, -1 if user is None else user, -1 if group is None else group)
    # Afterwards: a change of owner takes special bits away.
    path.chmod(mode)


def _link(folder: Path, files: Files) -> None:
    for top in _tops(files):
        path = folder / top
        if path.is_symlink():
            continue
        if path.exists():
            # An empty folder that somebody mounted who asked for this file before it was there.
            shutil.rmtree(path)
        path.symlink_to(f"{DATA}/{top}")


def _tidy(folder: Path, wanted: set[str]) -> None:
    """Remove what no version names any more."""
    for name in os.listdir(folder):
        if name in wanted:
            continue
        path = folder / name
        if path.is_symlink():
            path.unlink(missing_ok=True)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _tops(files: Files) -> set[str]:
    return {path.partition("/")[0] for path in files}


def _digest(files: Files, group: int | None) -> str:
    digest = hashlib.sha256(f"{group}\0".encode())
    for path, file in sorted(files.items()):
        digest.update(f"{path}\0{file.mode}\0{file.user}\0{len(file.content)}\0".encode() + file.content)
    return digest.hexdigest()[:20]
