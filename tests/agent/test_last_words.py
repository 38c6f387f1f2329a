"""What is read of a termination message: the end of a file, and of nothing else that lies in its place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.objects.change import Object
from tests.agent.world import START, pod
from workers.agent.last_words import LONGEST, LastWords
from workers.agent.memory import PodMemory
from workers.agent.pod import ref
from workers.runtime.protocol import ContainerState, PodState, State


@pytest.fixture
def words(tmp_path: Path) -> LastWords:
    around: Any = SimpleNamespace(runtime=object(), folder=lambda uid: tmp_path / uid)
    return LastWords(around)


def gathered(words: LastWords, asked: Object) -> str:
    ended = ContainerState("web", 0, State.EXITED, "web-0", "i", started_at=START, finished_at=START)
    memory = PodMemory()
    words.gather(asked, PodState(ref(asked), "10.0.0.1", True, (ended,)), memory)
    return memory.last_words["web-0"]


def test_the_end_of_what_a_container_wrote_is_its_message(words: LastWords) -> None:
    (mount,) = words.mount(pod(), pod()["spec"]["containers"][0], 0)
    assert gathered(words, pod()) == ""
    Path(mount.source).write_text("x" * LONGEST + "the end")
    assert gathered(words, pod()) == "x" * (LONGEST - 7) + "the end"


@pytest.mark.parametrize(
    "put",
    [os.mkfifo, os.mkdir, lambda path: os.symlink("/etc/passwd", path), lambda path: None],
    ids=["a pipe", "a folder", "a link", "nothing"],
)
def test_what_was_put_in_the_files_place_is_no_message_and_holds_nothing_up(
    words: LastWords, put: Callable[[str], None]
) -> None:
    (mount,) = words.mount(pod(), pod()["spec"]["containers"][0], 0)
    os.unlink(mount.source)
    put(mount.source)
    assert gathered(words, pod()) == ""
