"""What happens between fork and exec of a container's process, or of a command run inside it.

Run by `python -I -S -E`, with the standard library only.
"""

from __future__ import annotations

import ctypes
import fcntl
import os

import privileges
import view

PR_SET_PDEATHSIG = 1
SIGKILL = 9
SIGPIPE = 13
EACCES = 13
SIG_DFL = None
TIOCSCTTY = 0x540E
# `join` of the process that a container begins with. Otherwise it is the pid whose view to enter, or -1 for none.
MAKE = 0

_libc = ctypes.CDLL(None, use_errno=True)


class Payload:
    """The fields of a payload, in the order `launch.payload` puts them."""

    def __init__(self, fields: list[bytes]) -> None:
        self._fields = iter(fields)
        self.mode = self._text()
        self.join = int(self._text())
        self.directory = self._text()
        self.uid = int(self._text())
        self.gid = int(self._text())
        self.staging = self._text()
        self.oom_score_adj = self._text()
        self.entrances = self._list()
        self.command = self._list()
        self.env = dict(pair.split(b"=", 1) for pair in self._list())
        flat = [os.fsdecode(item) for item in self._list()]
        self.mounts = [(flat[i], flat[i + 1], flat[i + 2], flat[i + 3]) for i in range(0, len(flat), 4)]
        self.rights = privileges.Rights(dict(pair.split(b"=", 1) for pair in self._list()))

    def _text(self) -> str:
        return os.fsdecode(next(self._fields))

    def _list(self) -> list[bytes]:
        return [next(self._fields) for _ in range(int(next(self._fields)))]


def run(fields: list[bytes], keep_input: bool = False, terminal: bool = False, shim: int = 0) -> None:
    """Become the command. Returns never; raises OSError saying what could not be done.

    With `keep_input` its standard input stays what it is, instead of nothing; with `terminal` that is a terminal, which
    comes to control it (Ctrl-C). `shim`: the supervisor of a container's own process, which ends with it.
    """
    payload = Payload(fields)
    os.setsid()
    die_with(shim)
    for entrance in payload.entrances:
        write(entrance, b"0")
    if payload.oom_score_adj:
        # Anybody may expose themselves; to be protected takes a right that few have.
        try:  # noqa: SIM105 (contextlib is memory in every shim)
            write(b"/proc/self/oom_score_adj", payload.oom_score_adj.encode())
        except PermissionError:
            pass
    if terminal:
        fcntl.ioctl(0, TIOCSCTTY, 0)
        if payload.uid >= 0 and os.geteuid() == 0:
            os.fchown(0, payload.uid, -1)
    if payload.join > 0:
        view.enter(payload.mode, payload.join)
    elif payload.join == MAKE and payload.mode:
        view.make(payload.mode, payload.mounts, payload.staging, payload.rights.read_only)
        if payload.rights.hostname:
            payload.rights.name_host()
    there = went(payload.directory)
    payload.rights.before_user()
    if payload.gid >= 0:
        os.setgid(payload.gid)
    if payload.uid >= 0:
        os.setuid(payload.uid)
    payload.rights.after_user()
    # Once more: setuid has cleared it.
    die_with(shim)
    # Python ignores SIGPIPE, and what is ignored stays so across exec.
    _libc.signal(SIGPIPE, SIG_DFL)
    wrong = went(payload.directory)
    # What only its folder's owner may pass on the way to it, the container need not.
    if wrong is not None and (there is not None or wrong.errno != EACCES):
        raise OSError(f"working directory {payload.directory}: {wrong.strerror}") from wrong
    if not keep_input:
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, 0)
    become(payload.command, payload.env)


def die_with(shim: int) -> None:
    """Should the shim be killed, its container must not run on unseen, nor go on with its start."""
    if not shim:
        return
    _libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    # It is below 0 where the container's own filter of system calls forbids the question.
    if 0 <= os.getppid() != shim:
        os._exit(127)


def went(directory: str) -> OSError | None:
    """Change to a folder; what kept it from that."""
    try:
        os.chdir(directory)
    except OSError as exc:
        return exc
    return None


def write(path: bytes, text: bytes) -> None:
    """Tell the kernel something."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text)
    finally:
        os.close(fd)


def become(command: list[bytes], env: dict[bytes, bytes]) -> None:
    """Exec, looking the program up in the PATH of its own environment.

    Not `os.execvpe`: that imports a module first, from a library which the container's user may not be able to read.
    """
    program = command[0]
    why = "executable file not found in $PATH"
    folders = [b""] if b"/" in program else env.get(b"PATH", b"").split(b":")
    for folder in folders:
        try:
            os.execve(os.path.join(folder, program), command, env)
        except (FileNotFoundError, NotADirectoryError) as exc:
            if b"/" in program:
                why = exc.strerror or str(exc)
        except OSError as exc:
            # Found, but not to be run; one further on may be.
            why = exc.strerror or str(exc)
    raise OSError(f'exec: "{os.fsdecode(program)}": {why}')
