"""What an agent is told on its own machine, over a real socket."""

from __future__ import annotations

import errno
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.base.errors import UserError
from app.cli.node_shutdown import tell
from app.client.node_control import CANCEL, SHUTDOWN, NoAnswer, ask, listening, socket_path
from workers.agent.node import control as control_module
from workers.agent.node.control import Control


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # Deeper than the name of a socket may be long.
    made = tmp_path / ("deep" * 15) / ("deeper" * 10)
    made.mkdir(parents=True)
    return made


@pytest.fixture
def heard(folder: Path) -> Iterator[list[str]]:
    words: list[str] = []

    def answer(word: str) -> Iterator[str]:
        words.append(word)
        yield "ending"
        yield "ended"

    control = Control(socket_path(folder, "n1"), answer)
    control.start()
    yield words
    control.stop()


def test_what_is_said_is_heard_and_answered_line_by_line(folder: Path, heard: list[str]) -> None:
    assert list(ask(socket_path(folder, "n1"), SHUTDOWN, 5.0)) == ["ending", "ended"]
    assert heard == [SHUTDOWN]


def test_nobody_but_the_owner_can_say_anything(folder: Path, heard: list[str]) -> None:
    assert stat.S_IMODE(socket_path(folder, "n1").stat().st_mode) == 0o600


def test_the_command_tells_all_agents_of_a_folder_or_one(folder: Path, heard: list[str]) -> None:
    said: list[str] = []
    tell(folder, "", True, said.append)
    tell(folder, "n1", False, said.append)
    assert heard == [CANCEL, SHUTDOWN]
    assert said == ["ending", "ended"] * 2
    with pytest.raises(UserError, match="no agent of the node n2 runs"):
        tell(folder, "n2", False, said.append)


def test_an_agent_that_was_killed_is_no_agent_and_the_next_one_listens_again(folder: Path) -> None:
    path = socket_path(folder, "n1")
    dead = Control(path, lambda word: ["old"])
    dead.start()
    assert dead._socket is not None
    dead._socket.close()
    path.unlink()
    path.touch()
    assert list(listening(folder)) == ["n1"]
    with pytest.raises(NoAnswer):
        list(ask(path, SHUTDOWN, 1.0))
    control = Control(path, lambda word: ["new"])
    control.start()
    assert list(ask(path, SHUTDOWN, 5.0)) == ["new"]
    control.stop()
    assert listening(folder) == {}


def test_who_could_not_be_let_in_keeps_nobody_else_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accept, full = socket.socket.accept, threading.Event()

    def refuse_once(self: socket.socket) -> Any:
        if not full.is_set():
            full.set()
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    monkeypatch.setattr(control_module, "PAUSE", 0.01)
    monkeypatch.setattr(socket.socket, "accept", refuse_once)
    path = socket_path(folder, "n1")
    control = Control(path, lambda word: [word])
    control.start()
    assert full.wait(5.0)
    assert list(ask(path, CANCEL, 5.0)) == [CANCEL]
    control.stop()
