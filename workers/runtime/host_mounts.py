"""Mounts that an agent makes on its machine, for containers to have them mounted in turn.

An engine's containers see what is mounted where the engine is, so an agent that runs in a container (with the machine's
processes in sight) makes its mounts there; children of the agent itself see what is mounted where the agent is.
Nothing remembers a mount but the kernel: who is restarted finds them below the folders where they belong.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from app.base.trees import empty_tree
from workers.runtime import mount_space
from workers.runtime.beneath import open_beneath
from workers.runtime.mount_space import OutOfSight

_CLONE_FS, _CLONE_NEWNS = 0x0200, 0x0002_0000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC = 2, 4, 4096, 16384
_MS_PRIVATE = 1 << 18
_MNT_DETACH, _UMOUNT_NOFOLLOW = 2, 8
_CAP_SYS_ADMIN = 21
# How file systems in memory that an agent mounted are told from others.
_NAME = "beanpole"
_MEMORY = f"tmpfs {_NAME} "

_libc = ctypes.CDLL(None, use_errno=True)
_T = TypeVar("_T")


class HostMounts:
    """See the module. Args: engine: they are for an engine's containers."""

    def __init__(self, engine: bool) -> None:
        self._engine = engine

    def lacking(self) -> str:
        """Why no mounts can be made; empty if they can."""
        if not _may_mount():
            return "needs an agent that runs as root"
        try:
            self._space()
        except OSError as exc:
            return f"needs an agent that sees the engine's process: {exc}"
        return ""

    def _space(self) -> str:
        """See `mount_space.of_engine`. Asked anew each time: the engine may be another process by now."""
        return mount_space.of_engine() if self._engine and _may_mount() else ""

    def tmpfs(self, folder: Path, size: int, mode: int = 0o777, group: int | None = None) -> None:
        """Mount a file system in memory at `folder`, unless one is mounted there.

        Args:
            size: bytes; 0 is half of the memory. mode, group: of its top.

        Raises:
            OSError: the machine refused.
        """

        def make() -> None:
            if os.path.realpath(folder) not in mounted():
                options = [f"mode={mode:o}"]
                options += [f"size={size}"] if size else []
                options += [] if group is None else [f"gid={group}"]
                data = ",".join(options)
                _call(
                    "mount", b"beanpole", os.fsencode(folder), b"tmpfs", _MS_NOSUID | _MS_NODEV, data.encode()
                )

        self.there(make)

    def bind_beneath(self, root: Path, path: str, target: Path) -> None:
        """Mount at `target`, which is made, what `path` names in `root` and nothing outside of it.

        Raises:
            LeadsOut: it names something outside. OSError: the machine refused.
        """

        def make() -> None:
            top = os.open(root, os.O_PATH | os.O_CLOEXEC)
            try:
                found = open_beneath(top, path)
            finally:
                os.close(top)
            source = f"/proc/self/fd/{found}"
            try:
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if os.path.isdir(source):
                    target.mkdir(exist_ok=True)
                else:
                    target.touch()
                _call("mount", source.encode(), os.fsencode(target), None, _MS_BIND | _MS_REC, None)
                _call("mount", None, os.fsencode(target), None, _MS_PRIVATE | _MS_REC, None)
            finally:
                os.close(found)

        self.there(make)

    def clear(self, folder: Path) -> None:
        """Unmount all at `folder` and below it. What still uses one keeps it until it ends. Raises OSError."""

        def end() -> None:
            ours = mounted(_MEMORY)
            for place in reversed(below(folder, mounted())):
                if place in ours:
                    # Processes that have copied all mounts of the machine would keep its memory in use.
                    with contextlib.suppress(OSError):
                        empty_tree(place)
                _call("umount2", os.fsencode(place), _MNT_DETACH | _UMOUNT_NOFOLLOW)

        self.there(end)

    def remove_stage(self, folder: Path) -> None:
        """Unmount what is mounted at entries of `folder`, and remove it with those: they are empty places for mounts.
        Raises OSError."""
        self.clear(folder)

        def end() -> None:
            if not folder.is_dir():
                return
            for entry in folder.iterdir():
                entry.rmdir() if entry.is_dir() else entry.unlink()
            folder.rmdir()

        self.there(end)

    def there(self, action: Callable[[], _T]) -> _T:
        """Do it where the mounts belong, and the paths of the machine that containers have mounted. Raises OSError:
        the engine does not answer."""
        try:
            space = self._space()
        except OutOfSight:
            # Then nothing was ever mounted for it; for paths the engine must see what is seen here.
            space = ""
        if not space:
            return action()
        told: list[Any] = []

        def run() -> None:
            try:
                _enter(space)
                told.append(action())
            except BaseException as exc:
                told.append(exc)

        # Which mounts are seen belongs to a thread; this one ends with the action.
        thread = threading.Thread(target=run, name="host-mounts")
        thread.start()
        thread.join()
        if isinstance(told[0], BaseException):
            raise told[0]
        return told[0]  # type: ignore[no-any-return]


def mounted(what: str = "") -> list[str]:
    """Where something is mounted, in the order in which it was. Args: what: only mounts of this type and source."""
    lines = Path("/proc/thread-self/mountinfo").read_text(errors="surrogateescape").splitlines()
    return [_plain(line.split(" ")[4]) for line in lines if f" - {what}" in line]


def below(folder: Path, places: list[str]) -> list[str]:
    """Those of `places` that are `folder` or lie below it."""
    top = os.path.realpath(folder)
    return [place for place in places if place == top or place.startswith(top + "/")]


def _plain(text: str) -> str:
    """The kernel writes blanks and backslashes as octal numbers."""
    for code in ("\\040", "\\011", "\\012", "\\134"):
        text = text.replace(code, chr(int(code[1:], 8)))
    return text


def _may_mount() -> bool:
    if os.geteuid() != 0:
        return False
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_SYS_ADMIN & 1)
    return False


def _enter(space: str) -> None:
    fd = os.open(space, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # A thread that shares its root and working folder with others may not leave their mounts.
        _call("unshare", _CLONE_FS)
        _call("setns", fd, _CLONE_NEWNS)
    finally:
        os.close(fd)


def _call(name: str, *arguments: Any) -> None:
    typed = [ctypes.c_ulong(a) if name == "mount" and isinstance(a, int) else a for a in arguments]
    if getattr(_libc, name)(*typed) != 0:
        number = ctypes.get_errno()
        where = next((os.fsdecode(a) for a in reversed(arguments[:2]) if isinstance(a, bytes)), None)
        raise OSError(number, f"{name}: {os.strerror(number)}", where)
