"""Wires: within a server, and between two."""

from __future__ import annotations

import threading

import pytest

from app.api.sessions import lists, wires
from app.api.sessions.sessions import Sessions
from app.api.sessions.wires import AHEAD, Cut, pair
from app.base.clock import SystemClock
from app.base.errors import StoreUnavailable
from app.base.frames import Frame, Part, encode
from app.base.ids import RandomIds
from app.store import agents


@pytest.fixture(params=["local", "lists"])
def ends(request, api):
    if request.param == "local":
        yield pair()
        return
    clock = SystemClock()
    made = lists.for_user(api.agents, "s", clock), lists.for_agent(api.agents, "s", clock)
    yield made
    for end in made:
        end.close()


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


@pytest.fixture
def hasty(monkeypatch):
    """Who says nothing for a moment has vanished."""
    monkeypatch.setattr(lists, "PULSE", 0.01)
    monkeypatch.setattr(lists, "SILENCE", 0.2)


def rest_of(wire):
    found = []
    while (data := wire.receive(0.1)) is not None:
        found.append(data)
    return b"".join(found)


def test_a_server_that_vanished_breaks_the_stream_once_what_it_sent_is_read(api, hasty):
    gone = threading.Event()
    one = lists.for_agent(api.agents, "s", SystemClock(), gone.set)
    assert one.receive(0.1) == b""
    api.agents.push_chunk("s-in", b"its last words")
    assert gone.wait(5)
    assert rest_of(one) == b"its last words"
    assert one.broken
    with pytest.raises(Cut):
        one.send(b"x")
    one.close()


def test_who_reads_late_finds_everything_though_the_writer_has_left(api, store, monkeypatch):
    monkeypatch.setattr(lists, "PULSE", 0.1)
    reader, writer = (
        lists.for_user(api.agents, "s", SystemClock()),
        lists.for_agent(api.agents, "s", SystemClock()),
    )
    writer.send(b"all there is")
    writer.close()
    name = store.key("stream:s")
    store.redis.expire(name, agents.STREAM_LIFE // 2)
    while store.redis.ttl(name) <= agents.STREAM_LIFE // 2:
        assert store.redis.exists(name)
        threading.Event().wait(0.01)
    assert rest_of(reader) == b"all there is"
    assert not reader.broken
    reader.close()


def test_an_agent_hears_that_its_user_has_left_though_it_says_nothing(api, hasty):
    gone = threading.Event()
    user, agent = (
        lists.for_user(api.agents, "s", SystemClock()),
        lists.for_agent(api.agents, "s", SystemClock(), gone.set),
    )
    user.close()
    assert gone.wait(5)
    agent.close()


def test_an_end_that_was_closed_tells_nobody_that_the_other_side_left(api, hasty, monkeypatch):
    asked, closed, gone = threading.Event(), threading.Event(), threading.Event()
    before = set(threading.enumerate())
    agent = lists.for_agent(api.agents, "s", SystemClock(), gone.set)
    [pulse] = [each for each in set(threading.enumerate()) - before if each.name == "wire-pulse"]

    def late(*_):
        asked.set()
        closed.wait(10)
        return True, True

    monkeypatch.setattr(api.agents, "pulse", late)
    assert asked.wait(10)
    agent.close()
    closed.set()
    pulse.join(10)
    assert not pulse.is_alive()
    assert not gone.is_set()


def test_nothing_of_a_stream_stays_in_redis_for_good(api, store):
    ends = [lists.for_user(api.agents, "s", SystemClock()), lists.for_agent(api.agents, "s", SystemClock())]
    ends[1].send(b"all there is")
    api.agents.push_chunk("s", None)
    assert ends[0].receive(1.0) == b"all there is"
    kept = [name for name in store.redis.keys(store.key("stream*")) if store.redis.ttl(name) < 0]
    assert kept == []
    for end in ends:
        end.close()


def test_a_stream_that_redis_took_along_is_broken(api, monkeypatch):
    one = lists.for_user(api.agents, "s", SystemClock())

    def away(*_):
        raise StoreUnavailable("restarting")

    monkeypatch.setattr(api.agents, "pop_chunks", away)
    monkeypatch.setattr(api.agents, "push_chunk", away)
    assert one.receive(0.1) is None
    assert one.broken
    with pytest.raises(Cut):
        one.send(b"x")
    one.close()


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
