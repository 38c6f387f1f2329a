"""Commands inside containers of an engine, tried without one."""

from __future__ import annotations

import io
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.base.clock import SystemClock
from workers.runtime.docker import execute
from workers.runtime.docker.cgroup import holds
from workers.runtime.docker.stream import Stream


class Engine:
    """Says of every command that it is this process, in a container."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def exec_inspect(self, told: str) -> dict[str, Any]:
        return {"Running": True, "Pid": self.pid, "ContainerID": "f" * 64}


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_process_that_only_has_the_number_of_a_command_is_not_killed(
    bystander: subprocess.Popen[bytes],
) -> None:
    """The engine may be on another machine."""
    execute.kill(Engine(bystander.pid), "told", SystemClock())  # type: ignore[arg-type]
    with pytest.raises(subprocess.TimeoutExpired):
        bystander.wait(0.1)


def test_a_process_is_of_a_container_if_its_control_group_is(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cgroup").write_text("0::/system.slice/docker-abc.scope\n")
    assert holds(7, "abc", tmp_path)
    assert not holds(7, "abd", tmp_path)
    assert not holds(7, "", tmp_path)
    assert not holds(8, "abc", tmp_path)


def test_output_that_came_with_the_engines_answer_is_not_lost() -> None:
    """It may be in the buffer from which the head of the answer was read."""
    engine, ours = socket.socketpair()
    with engine, ours:
        text = b"first\n"
        engine.sendall(b"HTTP/1.1 101 UPGRADED\r\n\r\n" + struct.pack(">BxxxI", 1, len(text)) + text)
        engine.sendall(struct.pack(">BxxxI", 1, 5) + b"last\n")
        buffered = io.BufferedReader(ours.makefile("rb", buffering=0))  # type: ignore[arg-type]
        assert [buffered.readline(), buffered.readline()] == [b"HTTP/1.1 101 UPGRADED\r\n", b"\r\n"]
        stream: Any = buffered.raw
        stream._response = SimpleNamespace(raw=SimpleNamespace(_fp=SimpleNamespace(fp=buffered)))
        engine.shutdown(socket.SHUT_WR)
        assert (
            execute._read(Stream(stream, framed=True), SystemClock().monotonic() + 5, SystemClock())
            == b"first\nlast\n"
        )
