"""The agents of a process, as somebody on their machine speaks with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from app.base.clock import SystemClock
from app.base.errors import UserError
from app.base.ids import RandomIds
from app.base.settings import Settings
from app.client.node_control import CANCEL, SHUTDOWN
from workers.agent import crew as module
from workers.agent.crew import Crew


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    monkeypatch.setattr(module, "TELL", 0.01)
    settings = Settings(node="n1", state_dir=tmp_path, server="https://127.0.0.1:1", runtime="simulated")
    made = Crew(settings, SystemClock(), RandomIds())
    yield made
    made.wake()
    made.close()


def test_who_waits_for_the_pods_to_end_hears_that_it_was_called_off(crew: Crew) -> None:
    waiting = crew.told(SHUTDOWN)
    assert list(islice(waiting, 2)) == ["node n1: ending its pods", "node n1: some pods have not ended yet"]
    assert list(crew.told(CANCEL)) == ["node n1: the machine stays"]
    assert list(islice(waiting, 3)) == ["node n1: the machine stays"]


def test_what_nobody_knows_is_answered_with_what_can_be_said(crew: Crew) -> None:
    assert list(crew.told("reboot")) == ["say shutdown or cancel"]


def test_what_fails_by_surprise_does_not_end_the_looks_at_what_died(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, again = [], threading.Event()

    def look() -> None:
        looks.append(1)
        if len(looks) == 2:
            raise ValueError("nobody foresaw it")
        if len(looks) == 3:
            again.set()

    monkeypatch.setattr(crew.agents[0], "look_for_deaths", look)
    crew.loops()
    assert again.wait(10)


def test_what_fails_by_surprise_does_not_end_the_looks_at_the_certificate(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, again = [], threading.Event()

    class Unforeseen:
        def look(self) -> float:
            looks.append(1)
            if len(looks) == 2:
                raise AttributeError("nobody foresaw it")
            if len(looks) == 3:
                again.set()
            return 0.001 if len(looks) < 3 else 60.0

    monkeypatch.setattr(module, "AGAIN", 0.001)
    monkeypatch.setattr(crew, "_credentials", Unforeseen)
    monkeypatch.setattr(crew, "_settings", replace(crew._settings, client_cert_file="there"))
    crew.loops()
    assert again.wait(10)


def test_a_node_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="BEANPOLE_NODE"):
        Crew(Settings(state_dir=tmp_path, runtime="simulated"), SystemClock(), RandomIds())
