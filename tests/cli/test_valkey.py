"""The embedded Valkey keeps what it acknowledged, asks for its password, and says why it does not start."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.base.clock import SystemClock
from app.base.errors import UserError
from app.cli.valkey import EmbeddedValkey
from app.store.connection import connect

CLOCK = SystemClock()


class Server:
    """An embedded Valkey and its process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> redis.Redis:
        """A client of it, by the check that every program of a cluster makes."""
        planned = EmbeddedValkey.plan(self.folder, "geheim")
        self.process = subprocess.Popen(planned.command, stdout=subprocess.DEVNULL)
        planned.await_ready(self.process, CLOCK)
        self.url = planned.url
        return connect(planned.url)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(Path(tempfile.mkdtemp(prefix="bp-cli-")) / "valkey")
    yield made
    made.kill()


def test_what_was_acknowledged_outlives_a_kill(server: Server) -> None:
    server.start().set("key", "value")
    server.kill()
    assert server.start().get("key") == b"value"


def test_it_never_evicts_and_syncs_every_write(server: Server) -> None:
    client = server.start()
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert client.config_get("appendfsync") == {"appendfsync": "always"}


def test_nobody_gets_in_without_the_password(server: Server) -> None:
    server.start()
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(unix_socket_path=str(server.folder / "valkey.sock")).get("key")
    assert (server.folder / "valkey.conf").stat().st_mode & 0o777 == 0o600
    assert server.folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_with_a_long_or_odd_name_will_do(server: Server) -> None:
    server.folder = server.folder.parent / 'a "quoted" name' / ("x" * 120)
    assert server.start().ping()
    assert server.url.startswith("redis://:geheim@127.0.0.1:")


def test_it_says_what_its_log_says_of_this_run(server: Server) -> None:
    server.start()
    server.kill()
    (server.folder / "valkey.log").write_text("1:M 22 Nov 2026 16:00:00.000 # an older trouble\n")
    (server.folder / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(UserError) as refusal:
        server.start()
    assert str(refusal.value) == (
        "Valkey did not start: Invalid AOF manifest file format; "
        f"restore {server.folder} from a backup; see {server.folder}/valkey.log"
    )


def test_a_write_cut_off_by_a_power_loss_is_left_out(server: Server) -> None:
    client = server.start()
    client.set("whole", "1")
    client.set("torn", "2")
    server.kill()
    [log] = (server.folder / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(log.read_bytes()[:-5])
    client = server.start()
    assert (client.get("whole"), client.get("torn")) == (b"1", None)


def test_a_program_that_does_not_start_says_so(server: Server, tmp_path: Path) -> None:
    planned = EmbeddedValkey.plan(server.folder, "geheim")
    server.process = subprocess.Popen(["false"])
    with pytest.raises(UserError, match="did not start: it said nothing; see "):
        planned.await_ready(server.process, CLOCK)
