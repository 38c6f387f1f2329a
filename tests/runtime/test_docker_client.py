"""How long calls to an engine may take, tried on one that never answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests.exceptions

from workers.runtime.docker import client as module
from workers.runtime.docker.client import Client


@pytest.fixture
def mute(tmp_path: Path) -> Iterator[str]:
    """An engine that takes connections and says nothing."""
    path = tmp_path / "d.sock"
    held: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def accept() -> None:
            while True:
                try:
                    held.append(listening.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"unix://{path}"
        listening.shutdown(socket.SHUT_RDWR)
    for each in held:
        each.close()


def test_a_question_is_given_up_before_work_is(mute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUESTION_TIMEOUT", 0.1)
    client = Client(base_url=mute, version="1.41", timeout=100)
    for ask in (client.info, client.containers, lambda: client.inspect_container("any")):
        with pytest.raises(requests.exceptions.ReadTimeout):
            ask()
    client.close()


def test_what_containers_have_written_may_take_the_engine_longer_to_tell(
    mute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUESTION_TIMEOUT", 0.0001)
    client = Client(base_url=mute, version="1.41", timeout=0.1)
    with pytest.raises(requests.exceptions.ReadTimeout, match=r"read timeout=0\.1\)"):
        client.containers(size=True)
    client.close()


def test_work_within_a_time_takes_no_longer(mute: str) -> None:
    client = Client(base_url=mute, version="1.41", timeout=100)
    with client.within(0.1), pytest.raises(requests.exceptions.ReadTimeout):
        client.exec_create("any", ["true"])
    client.close()


def test_followed_logs_and_events_wait_for_ever(mute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(base_url=mute, version="1.41", timeout=0.1)
    ended = threading.Event()

    def listen(ask: object) -> None:
        try:
            ask()  # type: ignore[operator]
        except requests.exceptions.RequestException:
            ended.set()

    for ask in (client.events, lambda: client.logs("any", stream=True, follow=True)):
        threading.Thread(target=listen, args=(ask,), daemon=True).start()
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.logs("any", stream=True, follow=False)
    assert not ended.wait(0.3)
    client.close()
