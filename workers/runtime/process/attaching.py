"""The part of a shim that lets users talk to its container: standard input, or a terminal, kept open whoever comes and
goes.

Run by `python -I -S -E` within the shim, for containers with stdin or a terminal only (see `shim`). It listens on
`attach` in the container's folder. Both sides send pieces, each with a head of five bytes: what it is, and how long.
A shim sends output (1, 2); both say hello (6; the user with or without input); a user sends input (0), its end (5) and the size of
the terminal (4, `<width> <height>`).
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shim import Log

INPUT, STDOUT, STDERR, RESIZE, END, HELLO = 0, 1, 2, 4, 5, 6
HEAD = struct.Struct(">BI")
NAME = "attach"
READ = 64 * 1024
# So many reads of what a container said before its end: what it left running may go on for ever.
LAST = 64
# So many pieces of output are kept for a user who is yet to come. Output waits while a user is so far behind (bytes), for so many waits of a second without any progress.
KEPT = 16
BEHIND = 256 * 1024
STUCK = 10
# Pieces of users are never longer than this.
LONGEST = 1 << 20
SIGKILL = 9


class User:
    """Somebody who is attached."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.setblocking(False)
        self.came = b""
        self.leaving = b""
        # Waits in a row in which it took nothing, though much lay ready for it.
        self.stuck = 0
        self.talks = False

    def tell(self, stream: int, data: bytes) -> None:
        self.leaving += HEAD.pack(stream, len(data)) + data
        self.flush()

    def flush(self) -> None:
        """Send what it takes. Raises OSError: gone."""
        while self.leaving:
            try:
                sent = self.sock.send(self.leaving[:READ])
            except BlockingIOError:
                return
            self.leaving = self.leaving[sent:]
            self.stuck = 0

    def hear(self) -> list[tuple[int, bytes]]:
        """The pieces that are complete. Raises OSError: gone."""
        try:
            data = self.sock.recv(READ)
        except BlockingIOError:
            return []
        if not data:
            raise OSError("gone")
        self.came += data
        found = []
        while len(self.came) >= HEAD.size:
            kind, length = HEAD.unpack_from(self.came)
            if length > LONGEST:
                raise OSError("no piece of ours")
            if len(self.came) < HEAD.size + length:
                break
            found.append((kind, self.came[HEAD.size : HEAD.size + length]))
            self.came = self.came[HEAD.size + length :]
        return found


class Supervisor:
    """Carries output into the log and to users, and input from them to the process.

    `given` is the write end of its input, -1 without; of a terminal, its master. `once`: input ends with the first user
    who had any.
    """

    def __init__(
        self, folder: str, log: Log, outputs: dict[int, bytes], given: int, once: bool, tty: bool
    ) -> None:
        self.log, self.outputs, self.given, self.once, self.tty = log, outputs, given, once, tty
        self.users: dict[int, User] = {}
        self.pending = b""
        self.ending = False
        # What it said before its first user came.
        self.before: list[tuple[int, bytes]] | None = []
        self.listener = listen(folder)
        for fd in outputs:
            os.set_blocking(fd, False)
        if given >= 0:
            os.set_blocking(given, False)

    def run(self, pid: int) -> int:
        """Until the process ends; its wait status."""
        ended = os.pidfd_open(pid)
        while not self.turn(ended):
            pass
        try:  # noqa: SIM105 (contextlib is memory in every shim)
            os.killpg(pid, SIGKILL)
        except OSError:
            pass
        for fd in list(self.outputs):
            for _ in range(LAST):
                if fd not in self.outputs or not self.output(fd):
                    break
        # Users who are at the door still hear what was said.
        while self.welcome():
            pass
        self.listener.close()
        self.log.finish()
        self.say_goodbye()
        return os.waitpid(pid, 0)[1]

    def turn(self, ended: int) -> bool:
        """Wait for something and see to it; whether the process has ended."""
        behind = any(len(user.leaving) > BEHIND for user in self.users.values())
        poll = select.poll()
        for fd in (ended, self.listener.fileno(), *([] if behind else self.outputs)):
            poll.register(fd, select.POLLIN)
        if self.pending and self.given >= 0:
            poll.register(self.given, select.POLLOUT | (0 if behind or not self.tty else select.POLLIN))
        for fd, user in self.users.items():
            # While input waits for the process, nobody is heard, nor is it seen that they leave: poll tells of that always.
            events = (0 if self.pending else select.POLLIN) | (select.POLLOUT if user.leaving else 0)
            if events:
                poll.register(fd, events)
        over = False
        happenings = poll.poll(1000 if behind else None)
        for fd, happened in happenings:
            if fd == ended:
                over = True
            elif fd == self.listener.fileno():
                self.welcome()
            elif fd in self.users:
                self.user(fd)
            else:
                if fd in self.outputs and happened & ~select.POLLOUT:
                    self.output(fd)
                if fd == self.given and happened & ~select.POLLIN:
                    self.feed()
        for fd, user in list(self.users.items()):
            if len(user.leaving) > BEHIND and not happenings:
                user.stuck += 1
                if user.stuck > STUCK:
                    self.part(fd)
        return over

    def output(self, fd: int) -> bool:
        """Something of the process's; whether there was."""
        try:
            data = os.read(fd, READ)
        except BlockingIOError:
            return False
        except OSError:
            # The last holder of the terminal has gone.
            data = b""
        if not data:
            del self.outputs[fd]
            return False
        stream = self.outputs[fd]
        self.log.write(stream, data)
        kind = STDERR if stream == b"stderr" else STDOUT
        if self.before is not None:
            self.before = [*self.before[-KEPT:], (kind, data)]
        for each, user in list(self.users.items()):
            try:
                user.tell(kind, data)
            except OSError:
                self.part(each)
        return True

    def welcome(self) -> bool:
        """Take in the next user; whether there was one."""
        try:
            sock, _ = self.listener.accept()
        except OSError:
            return False
        fd = sock.fileno()
        user = self.users[fd] = User(sock)
        before, self.before = self.before, None
        try:
            user.tell(HELLO, b"")
            for kind, data in before or ():
                user.tell(kind, data)
        except OSError:
            self.part(fd)
        return True

    def user(self, fd: int) -> None:
        user = self.users[fd]
        try:
            user.flush()
            pieces = [] if self.pending else user.hear()
        except OSError:
            self.part(fd)
            return
        for kind, data in pieces:
            if kind == HELLO:
                user.talks = data == b"1"
            elif kind == INPUT:
                self.pending += data
                self.feed()
            elif kind == END and self.once:
                self.end()
            elif kind == RESIZE and self.tty and self.given >= 0:
                self.resize(data)

    def resize(self, data: bytes) -> None:
        words = data.split()
        if len(words) == 2 and all(word.isdigit() and 0 < int(word) < 65536 for word in words):
            try:
                termios.tcsetwinsize(self.given, (int(words[1]), int(words[0])))
            except OSError:
                return

    def feed(self) -> None:
        """Hand over what input waits."""
        if self.given < 0:
            self.pending = b""
            return
        try:
            while self.pending:
                self.pending = self.pending[os.write(self.given, self.pending[:READ]) :]
        except BlockingIOError:
            return
        except OSError as exc:
            self.pending = b""
            if exc.errno == errno.EPIPE:
                self.ending = True
        if self.ending:
            self.shut()

    def end(self) -> None:
        """No more input comes, once what came is handed over."""
        self.ending = True
        if not self.pending:
            self.shut()

    def shut(self) -> None:
        if self.given < 0:
            return
        if self.tty:
            # Ctrl-D; the terminal itself stays for the output.
            self.ending = False
            try:
                os.write(self.given, b"\x04")
            except OSError:
                return
        else:
            os.close(self.given)
            self.given = -1

    def part(self, fd: int) -> None:
        """A user has gone."""
        user = self.users.pop(fd)
        user.sock.close()
        if user.talks and self.once:
            self.end()

    def say_goodbye(self) -> None:
        """Let users have the last words, for a moment."""
        for user in self.users.values():
            try:
                for _ in range(20):
                    user.flush()
                    if not user.leaving:
                        break
                    select.select([], [user.sock], [], 0.1)
            except OSError:
                user.leaving = b""
            user.sock.close()
        self.users.clear()


def listen(folder: str) -> socket.socket:
    """Where users come. A folder's path may be longer than a socket's address can be, so it is named by its number."""
    place = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(f"/proc/self/fd/{place}/{NAME}")
    os.close(place)
    sock.listen(16)
    sock.setblocking(False)
    return sock


def connect(folder: str) -> socket.socket:
    """A user's connection. Raises OSError: nobody listens there."""
    place = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(f"/proc/self/fd/{place}/{NAME}")
        except BaseException:
            sock.close()
            raise
        return sock
    finally:
        os.close(place)
