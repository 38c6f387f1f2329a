"""Listening for containers that die, to a runtime that blocks until one does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from workers.agent import deaths as module
from workers.agent.deaths import Deaths
from workers.runtime.protocol import ContainerError


class Telling:
    """A runtime that says what the test has it say: a pod's uid, an error, or that it is gone (None)."""

    def __init__(self) -> None:
        self.said: SimpleQueue[str | Exception | None] = SimpleQueue()

    def events(self) -> Iterator[str]:
        while (said := self.said.get()) is not None:
            if isinstance(said, Exception):
                raise said
            yield said

    def close(self) -> None:
        self.said.put(None)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)


def listening(node: str) -> bool:
    return any(thread.name == f"agent-events-{node}" for thread in threading.enumerate())


def test_whatever_ends_the_listening_the_pods_are_looked_at_and_the_next_death_is_heard() -> None:
    runtime: Any = Telling()
    heard, again = SimpleQueue[str](), SimpleQueue[str]()
    deaths = Deaths("n1", runtime, heard.put, lambda: again.put("again"))
    deaths.start()
    for ends in (None, ContainerError("RuntimeUnavailable", "gone"), ValueError("nobody foresaw it")):
        runtime.said.put("u")
        assert heard.get(timeout=5) == "u"
        runtime.said.put(ends)
        assert again.get(timeout=5) == "again"
    deaths.stop()
    runtime.close()
    deaths.join()


def test_once_stopped_nobody_listens_or_looks_at_the_runtime_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 5.0)
    runtime: Any = Telling()
    heard, again = SimpleQueue[str](), SimpleQueue[str]()
    deaths = Deaths("n2", runtime, heard.put, lambda: again.put("again"))
    deaths.start()
    runtime.said.put("u")
    assert heard.get(timeout=5) == "u"
    assert listening("n2")
    deaths.stop()
    runtime.close()
    deaths.join()
    assert not listening("n2")
    assert again.empty()
