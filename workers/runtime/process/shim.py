"""The supervisor of one container: starts its process, keeps its log, writes down how it ended.

Run as `python -I -S -E shim.py`, it outlives the agent that started it. It imports as little as it can, since
one of it stays in memory for each container. What to do comes on its standard input (see `launch.payload`); it
answers one line on standard output once the process runs, `ok`, or `error` and why not.

In the container's folder it leaves `lock` (held while it lives), `log`, `log.1`, ... (CRI format), and `state`:
JSON with the pids and start times of both processes, and, once the container has ended, its exit code.
"""

from __future__ import annotations

import fcntl
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# One line longer than this is split, as containerd does (its max_container_log_line_size).
LINE_MAX = 16 * 1024
READ = 64 * 1024
# So many reads of what a container said before its end: what it left running may go on for ever.
LAST = 64
SIGKILL = 9


class Log:
    """A container's log in the format of the CRI: `<RFC 3339 nanoseconds> <stream> <F|P> <text>`.

    At most `files` files of `size` bytes each: `log`, and the older ones, `log.1` to `log.<files - 1>`.
    """

    def __init__(self, folder: str, size: int, files: int) -> None:
        self.path = folder + "/log"
        self.size_max, self.files = size, files
        self.parts = {b"stdout": b"", b"stderr": b""}
        self.open()

    def open(self) -> None:
        self.fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        self.size = os.fstat(self.fd).st_size

    def write(self, stream: bytes, data: bytes) -> None:
        *lines, rest = (self.parts[stream] + data).split(b"\n")
        head = stamp() + b" " + stream
        out = []
        for line in lines:
            while len(line) > LINE_MAX:
                out.append(b"%s P %s\n" % (head, line[:LINE_MAX]))
                line = line[LINE_MAX:]
            out.append(b"%s F %s\n" % (head, line))
        while len(rest) > LINE_MAX:
            out.append(b"%s P %s\n" % (head, rest[:LINE_MAX]))
            rest = rest[LINE_MAX:]
        self.parts[stream] = rest
        self.append(b"".join(out))

    def finish(self) -> None:
        for stream, rest in self.parts.items():
            if rest:
                self.append(b"%s %s P %s\n" % (stamp(), stream, rest))

    def append(self, data: bytes) -> None:
        try:
            if self.size and self.size + len(data) > self.size_max:
                full = self.fd
                self.move()
                self.open()
                os.close(full)
            self.size += os.write(self.fd, data)
        except OSError:
            # A full disk costs log lines, not the container.
            return

    def move(self) -> None:
        """Make room for a new file."""
        if self.files == 1 and os.path.exists(self.path):
            os.unlink(self.path)
        for number in range(self.files - 1, 0, -1):
            older = f"{self.path}.{number - 1}" if number > 1 else self.path
            if os.path.exists(older):
                os.rename(older, f"{self.path}.{number}")


def stamp() -> bytes:
    now = time.time_ns()
    moment = time.gmtime(now // 1_000_000_000)
    return b"%04d-%02d-%02dT%02d:%02d:%02d.%09dZ" % (*moment[:6], now % 1_000_000_000)


def start_time(pid: int) -> int:
    """Field 22 of /proc/<pid>/stat, which with the pid names a process for good (until reboot)."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])


def write_state(folder: str, values: dict[str, str]) -> None:
    text = "{" + ", ".join(f'"{key}": {value}' for key, value in values.items()) + "}\n"
    with open(folder + "/state.new", "w") as file:
        file.write(text)
    os.rename(folder + "/state.new", folder + "/state")


def answer(text: str) -> None:
    try:  # noqa: SIM105 (contextlib is memory in every shim)
        os.write(1, text.encode("utf-8", "replace")[:4000])
    except BrokenPipeError:
        # The agent was cut off; the next one finds the container by its folder.
        pass
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    if null > 2:
        os.close(null)


def start(payload: list[bytes], out: int, err: int, given: int = -1, terminal: bool = False) -> int:
    """The container's process, running its command; its pid. `given` is its input, -1 for none.

    Raises:
        OSError: it could not be started; says why.
    """
    told, tell = os.pipe()
    me = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            if given >= 0:
                os.dup2(given, 0)
            os.dup2(out, 1)
            os.dup2(err, 2)
            sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
            # Imported here, so that the memory it takes goes when the command takes over.
            import entry

            entry.run(payload, given >= 0, terminal, me)
        except BaseException as exc:
            os.write(tell, (str(exc) or repr(exc)).encode("utf-8", "replace"))
        os._exit(127)
    os.close(tell)
    with open(told, "rb") as file:
        failure = file.read()
    if failure:
        os.waitpid(pid, 0)
        raise OSError(failure.decode("utf-8", "replace"))
    return pid


def supervise(log: Log, pid: int, out: int, err: int) -> int:
    """Carry output into the log until the process ends; its wait status."""
    ended = os.pidfd_open(pid)
    streams = {out: b"stdout", err: b"stderr"}
    poll = select.poll()
    for fd in (*streams, ended):
        poll.register(fd, select.POLLIN)
    alive = True
    while alive:
        for fd, _ in poll.poll():
            if fd == ended:
                alive = False
                continue
            data = os.read(fd, READ)
            if data:
                log.write(streams[fd], data)
            else:
                poll.unregister(fd)
                del streams[fd]
    # The leader is dead but not reaped, so its group's number can't be anyone else's yet.
    try:  # noqa: SIM105 (contextlib is memory in every shim)
        os.killpg(pid, SIGKILL)
    except OSError:
        pass
    for fd, stream in streams.items():
        os.set_blocking(fd, False)
        try:
            for _ in range(LAST):
                data = os.read(fd, READ)
                if not data:
                    break
                log.write(stream, data)
        except BlockingIOError:
            pass
    log.finish()
    return os.waitpid(pid, 0)[1]


def own(lock: int, folder: str) -> bool:
    """Whether this container is this shim's to run, and not another's that runs it or ran it."""
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # An earlier agent was cut off after it had started a shim, which is about to write its state.
            if os.path.exists(folder + "/state"):
                return False
            time.sleep(0.01)
        else:
            return not os.path.exists(folder + "/state")


def start_silent(
    folder: str, log: Log, payload: list[bytes], wishes: str
) -> tuple[int, Callable[[int], int]]:
    """A container that nobody talks to: its pid, and what supervises it. Raises OSError."""
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    pid = start(payload, out_end, err_end)
    os.close(out_end)
    os.close(err_end)
    return pid, lambda pid: supervise(log, pid, out, err)


def start_talking(
    folder: str, log: Log, payload: list[bytes], wishes: str
) -> tuple[int, Callable[[int], int]]:
    """A container with an input (`i`; `o`: once) or a terminal (`t`). Raises OSError."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import attaching

    if "t" in wishes:
        master, slave = os.openpty()
        os.set_inheritable(slave, True)
        given, theirs, outputs = master, (slave, slave, slave), {master: b"stdout"}
    else:
        read, given = os.pipe()
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        theirs, outputs = (read, out_end, err_end), {out: b"stdout", err: b"stderr"}
    supervisor = attaching.Supervisor(folder, log, outputs, given, "o" in wishes, "t" in wishes)
    pid = start(payload, theirs[1], theirs[2], theirs[0], "t" in wishes)
    for fd in set(theirs):
        os.close(fd)
    return pid, supervisor.run


def main() -> None:
    with open(0, "rb", closefd=False) as file:
        payload = file.read().split(b"\0")
    # The session stays that of the first process, by which whoever waits in vain for an answer ends this one.
    if os.fork():
        os._exit(0)
    folder = payload[0].decode()
    boot = payload[1].decode()
    os.umask(0o022)
    os.chdir("/")
    lock = os.open(folder + "/lock", os.O_WRONLY | os.O_CREAT, 0o640)
    if not own(lock, folder):
        answer("ok")
        os._exit(0)
    log = Log(folder, *map(int, payload[3].split(b",")))
    wishes = payload[2].decode()
    # Whoever is talked to has more to it, which others need not carry in memory.
    run = start_talking if wishes else start_silent
    try:
        pid, watch = run(folder, log, payload[4:], wishes)
    except OSError as exc:
        answer(f"error {exc}")
        os._exit(1)
    me = os.getpid()
    values = {
        "boot": f'"{boot}"',
        "shim": f"[{me}, {start_time(me)}]",
        "main": f"[{pid}, {start_time(pid)}]",
        "started_at": f"{time.time_ns() / 1e9:.6f}",
    }
    write_state(folder, values)
    answer("ok")
    status = watch(pid)
    code = os.waitstatus_to_exitcode(status)
    values["exit_code"] = str(code if code >= 0 else 128 - code)
    values["finished_at"] = f"{time.time_ns() / 1e9:.6f}"
    write_state(folder, values)
    os._exit(0)


if __name__ == "__main__":
    main()
