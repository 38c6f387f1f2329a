"""A container's private view of the file system: a mount namespace with the pod's files and volumes in it.

Run by `python -I -S -E`, with the standard library only. `mode` is how the right to mount is had: `root`, or
`user` (a user namespace that maps this user to itself). As a script it tells which mode works here.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_NOATIME, MS_NODIRATIME = 32, 1024, 2048
MS_BIND, MS_REC, MS_PRIVATE, MS_SLAVE, MS_RELATIME = 4096, 16384, 1 << 18, 1 << 19, 1 << 21
# Flags that a user namespace may not drop when it remounts (mount_namespaces(7)); statvfs has the same bits.
LOCKED = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME
# What no image holds.
LIVELY = ("/dev", "/proc")
MOUNT_SETATTR, MOUNT_ATTR_RDONLY, AT_FDCWD, AT_RECURSIVE = 442, 1, -100, 0x8000

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(mode: str) -> None:
    """Leave the machine's mounts for a copy of them."""
    uid, gid = os.getuid(), os.getgid()
    flags = CLONE_NEWNS | (CLONE_NEWUSER if mode == "user" else 0)
    _check(_libc.unshare(flags), "unshare")
    if mode == "user":
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    # Slave: an unmount on the machine reaches here too, nothing done here reaches the machine.
    _mount(None, "/", None, MS_REC | MS_SLAVE)


def make(mode: str, mounts: list[tuple[str, str, str, str]], staging: str, read_only: bool = False) -> None:
    """A private view in which each (source, part of it, target, options) is mounted; see `launch.Bind`.

    A target that the machine does not have is made in the private view only: the nearest folder above it
    is covered by a small tmpfs that shows the same entries. If that folder is the root, the tmpfs at `staging`
    becomes the root. With `read_only` nothing can be written but what is mounted so, and what /dev and /proc stand for.
    """
    unshare(mode)
    covered: list[str] = []
    ordered = sorted(mounts, key=lambda m: m[2].count("/"))
    if any(_above(target) == "/" for _, _, target, _ in ordered):
        _cover("/", staging)
        os.chroot(staging)
        os.chdir("/")
        covered.append("/")
    for source, part, target, options in ordered:
        try:
            if part:
                _bind_part(source, part, target, options, covered)
            else:
                _bind(source, target, options, covered)
        except OSError as exc:
            raise OSError(f"mount of {source} at {target}: {exc.strerror or exc}") from exc
    if read_only:
        _attributes("/", MOUNT_ATTR_RDONLY, 0)
        writable = [target for _, _, target, options in ordered if "ro" not in options]
        for target in (*LIVELY, *writable):
            _attributes(target, 0, MOUNT_ATTR_RDONLY)


def enter(mode: str, pid: int) -> None:
    """Join the view that process `pid` has."""
    root = os.open(f"/proc/{pid}/root", os.O_RDONLY)
    spaces = [
        os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
        for name in (("user",) if mode == "user" else ()) + ("mnt", "uts")
        if name != "uts" or _differs(pid, name)
    ]
    for fd in spaces:
        _check(_libc.setns(fd, 0), "setns")
    os.fchdir(root)
    os.chroot(".")


def _differs(pid: int, name: str) -> bool:
    """Whether that process is in another namespace than this one."""
    return os.readlink(f"/proc/{pid}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}")


def _bind_part(source: str, part: str, target: str, options: str, covered: list[str]) -> None:
    """Bind what `part` names in `source`, and nothing outside of it."""
    # At the end: the other modules there must not take the place of the standard library's.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    import beneath

    top = os.open(source, os.O_PATH)
    found = beneath.open_beneath(top, part)
    os.close(top)
    _bind(f"/proc/self/fd/{found}", target, options, covered)
    os.close(found)


def _bind(source: str, target: str, options: str, covered: list[str]) -> None:
    folder = os.path.isdir(source)
    if not os.path.exists(target):
        above = _above(target)
        if not any(above == c or above.startswith(c.rstrip("/") + "/") for c in covered) or not _is_ours(
            above, covered
        ):
            _cover(above, above)
            covered.append(above)
        if folder:
            os.makedirs(target)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    elif folder != os.path.isdir(target):
        raise OSError("one is a folder and the other is not")
    _mount(source, target, None, MS_BIND | MS_REC)
    wanted = options.split(",")
    if "slave" not in wanted:
        _mount(None, target, None, MS_REC | MS_PRIVATE)
    if "rro" in wanted:
        _attributes(target, MOUNT_ATTR_RDONLY, 0)
    elif "ro" in wanted:
        flags = os.statvfs(target).f_flag & LOCKED
        _mount(None, target, None, MS_BIND | MS_REMOUNT | MS_RDONLY | flags)


def _attributes(target: str, set_them: int, clear_them: int) -> None:
    """Change a mount and all that is mounted below it (mount_setattr(2); Linux 5.12)."""
    asked = (ctypes.c_uint64 * 4)(set_them, clear_them, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(MOUNT_SETATTR),
        AT_FDCWD,
        os.fsencode(target),
        AT_RECURSIVE,
        ctypes.byref(asked),
        ctypes.c_size_t(ctypes.sizeof(asked)),
    )
    _check(result, "mount_setattr")


def _above(target: str) -> str:
    """The nearest folder above `target` that exists, or `target` itself."""
    path = os.path.realpath(target)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path


def _is_ours(path: str, covered: list[str]) -> bool:
    """Whether what is made in `path` lands on one of the private tmpfs."""
    return any(os.stat(path).st_dev == os.stat(c).st_dev for c in covered)


def _cover(folder: str, place: str) -> None:
    """Mount at `place` a tmpfs that shows every entry of `folder`."""
    mode = stat.S_IMODE(os.stat(folder).st_mode)
    links, entries = [], []
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        info = os.lstat(path)
        if stat.S_ISLNK(info.st_mode):
            links.append((name, os.readlink(path)))
        else:
            entries.append((name, stat.S_ISDIR(info.st_mode), os.open(path, os.O_PATH | os.O_NOFOLLOW)))
    _mount("beanpole", place, "tmpfs", MS_NOSUID | MS_NODEV, f"mode={mode:o},size=1m")
    for name, link in links:
        os.symlink(link, os.path.join(place, name))
    for name, is_folder, fd in entries:
        path = os.path.join(place, name)
        if is_folder:
            os.mkdir(path)
        else:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        _mount(f"/proc/self/fd/{fd}", path, None, MS_BIND | MS_REC)
        os.close(fd)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    arguments = [None if a is None else os.fsencode(a) for a in (source, target, kind)]
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() if data else None)
    _check(result, "mount")


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def works(mode: str) -> bool:
    """Whether this process may make a private view in that mode. Tried in a child."""
    pid = os.fork()
    if pid == 0:
        try:
            unshare(mode)
            _mount("/etc", "/etc", None, MS_BIND)
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


if __name__ == "__main__":
    sys.stdout.write("root" if works("root") else "user" if works("user") else "")
