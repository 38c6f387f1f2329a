"""Wires: within a server, and between two."""

from __future__ import annotations

import threading

import pytest

from app.api.sessions import lists, wires
from app.api.sessions.lists import ListWire
from app.api.sessions.sessions import Sessions
from app.api.sessions.wires import AHEAD, Cut, pair
from app.base.clock import SystemClock
from app.base.frames import Frame, Part, encode
from app.base.ids import RandomIds


@pytest.fixture(params=["local", "lists"])
def ends(request, api):
    if request.param == "local":
        return pair()
    clock = SystemClock()
    return ListWire(api.agents, "s", "s-in", clock), ListWire(api.agents, "s-in", "s", clock)


def test_bytes_arrive_in_order_both_ways(ends):
    one, other = ends
    for piece in (b"a", b"b", b"c"):
        one.send(piece)
    other.send(b"back")
    found = b""
    while len(found) < 3:
        found += other.receive(1.0)
    assert (found, one.receive(1.0)) == (b"abc", b"back")


def test_what_was_sent_before_leaving_is_received_and_then_the_end(ends):
    one, other = ends
    one.send(b"last words")
    one.close()
    assert other.receive(1.0) == b"last words"
    assert other.receive(1.0) is None


def test_who_sends_to_nobody_is_told(ends):
    one, other = ends
    other.close()
    with pytest.raises(Cut):
        one.send(b"x")


def test_a_sender_waits_for_a_reader_that_is_behind(ends, in_background):
    one, other = ends
    sent = threading.Event()
    whole = b"x" * (AHEAD + 100 * lists.CHUNK)

    def send():
        for start in range(0, len(whole), lists.CHUNK):
            one.send(whole[start : start + lists.CHUNK])
        sent.set()

    in_background(send)
    assert not sent.wait(0.3)
    size = 0
    while size < len(whole):
        size += len(other.receive(5.0))
    assert sent.wait(5)


def test_a_reader_hears_that_a_server_vanished(api, monkeypatch):
    clock = SystemClock()
    monkeypatch.setattr(lists, "PULSE", 0.0)
    one = ListWire(api.agents, "s", "s-in", clock)
    assert one.receive(0.1) == b""
    assert one.receive(0.1) is None


def test_nothing_is_received_that_nobody_sent():
    one, _ = wires.pair()
    assert one.receive(0.01) == b""


def test_user_and_agent_may_be_connected_to_different_servers(api, pod, in_background):
    servers = [
        Sessions(api.store, api.agents, lambda node: None, SystemClock(), RandomIds()) for _ in range(2)
    ]

    def agent():
        for _ in range(1000):
            asked = api.agents.arrive({"n1": 0})[1].get("n1")
            if asked:
                break
            threading.Event().wait(0.01)
        wire = servers[1].join(asked[0]["id"])
        wire.send(encode(Part.BEGUN) + encode(Part.STDOUT, b"hello"))
        heard = b""
        while (data := wire.receive(1.0)) is not None:
            heard += data
        assert heard == encode(Part.STDIN, b"typed")

    in_background(agent)
    session = servers[0].open("exec", pod, container="a", command=["x"])
    session.send(Part.STDIN, b"typed")
    assert session.next(5.0) == [Frame(Part.STDOUT, b"hello")]
    servers[0].close(session)
    assert servers[0].count == 0
