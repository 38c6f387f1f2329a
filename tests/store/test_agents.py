"""What nodes and the API tell each other in passing."""

from __future__ import annotations

from app.store.agents import AgentState
from app.store.store import Store


def test_a_stream_hands_on_every_chunk_in_order_until_its_end(store: Store) -> None:
    state = AgentState(store)
    for chunk in (b"one", b"two", b"three"):
        state.push_chunk("s", chunk)
    state.push_chunk("s", None)
    assert state.pop_chunks("s", 1) == [b"one", b"two", b"three"]
    assert state.pop_chunks("s", 1) is None


def test_a_stream_without_news_says_so(store: Store) -> None:
    assert AgentState(store).pop_chunks("s", 0.01) == []


def test_a_writer_is_told_when_its_reader_has_gone(store: Store) -> None:
    state = AgentState(store)
    assert state.push_chunk("s", b"one") == 1
    state.abandon("s")
    assert state.push_chunk("s", b"two") == -1
    assert state.waiting_chunks("s") == -1


def test_a_stream_request_is_handed_out_once(store: Store) -> None:
    state = AgentState(store)
    state.offer_stream("n1", {"id": "a"})
    state.offer_stream("n1", {"id": "b"})
    assert [r["id"] for r in state.arrive({"n1": 0, "n2": 0})[1]["n1"]] == ["a", "b"]
    assert state.arrive({"n1": 0, "n2": 0})[1] == {}


def test_one_nudge_is_on_its_way_until_the_agent_comes(store: Store) -> None:
    state = AgentState(store)
    assert state.set_nudges(["n1"]) == ["n1"]
    assert state.set_nudges(["n1", "n2"]) == ["n2"]
    state.arrive({"n1": 0})
    assert state.set_nudges(["n1", "n2"]) == ["n1"]


def test_applied_revisions_are_known_per_node(store: Store) -> None:
    state = AgentState(store)
    state.arrive({"n1": 5})
    assert state.arrive({"n2": 7})[0] == {"n1": 5, "n2": 7}
    state.forget("n1")
    assert state.arrive({"n2": 8})[0] == {"n2": 8}
