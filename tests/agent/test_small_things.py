"""Addresses, back-off, notes, the node's report."""

from __future__ import annotations

import pytest

from tests.agent.world import START, pod
from tests.clock import HandClock
from workers.agent.addresses import Addresses, NoAddress
from workers.agent.deciding import backoff
from workers.agent.exchange.notes import SENT, WAITING, Notes
from workers.agent.memory import ContainerMemory
from workers.agent.node.report import node_object, says_the_same
from workers.runtime.protocol import NodeInfo


def test_addresses_leave_out_network_gateway_and_broadcast_and_never_double() -> None:
    addresses = Addresses("10.244.1.0/29")
    assert [addresses.take(str(i)) for i in range(5)] == [f"10.244.1.{i}" for i in range(2, 7)]
    with pytest.raises(NoAddress):
        addresses.take("one more")
    addresses.release("1")
    assert addresses.take("6") == "10.244.1.3"


def test_an_address_in_use_is_adopted_and_a_freed_one_rests() -> None:
    addresses = Addresses("10.244.1.0/24")
    addresses.adopt("old", "10.244.1.2")
    assert addresses.take("new") == "10.244.1.3"
    assert addresses.take("old") == "10.244.1.2"
    addresses.release("new")
    assert addresses.take("next") == "10.244.1.4"


def test_back_off_begins_with_nothing_doubles_to_five_minutes_and_is_forgotten() -> None:
    memory, now, waits = ContainerMemory(), START, []
    for _ in range(8):
        waits.append(backoff.restart_at(memory, now) - now)
        now += waits[-1]
        backoff.extend(memory, now, now)
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]
    assert backoff.restart_at(memory, now + 599) - (now + 599) == 300
    assert backoff.restart_at(memory, now + 601) == now + 601


def test_events_alike_are_counted_and_kept_until_they_are_accepted() -> None:
    notes = Notes(HandClock())
    for _ in range(3):
        notes.tell(pod(), "Unhealthy", "bad", warning=True, container="web")
    (note,) = notes.take()
    assert (note["count"], note["type"]) == (3, "Warning")
    assert note["regarding"]["fieldPath"] == "spec.containers{web}"  # type: ignore[index]
    assert not notes
    notes.keep([note])
    notes.tell(pod(), "Unhealthy", "bad", warning=True, container="web")
    assert [n["count"] for n in notes.take()] == [4]


def test_what_happens_again_is_no_news_and_goes_with_the_next_exchange() -> None:
    notes = Notes(HandClock())
    assert notes.tell(pod(), "Unhealthy", "bad", warning=True, container="web")
    assert len(notes) == 1
    notes.take()
    assert not notes.tell(pod(), "Unhealthy", "bad", warning=True, container="web")
    assert len(notes) == 0
    assert [n["count"] for n in notes.take()] == [2]


def test_what_waits_for_the_api_goes_in_pieces_and_has_a_bound() -> None:
    notes = Notes(HandClock())
    for number in range(WAITING + 3):
        notes.tell(pod(), "Unhealthy", f"attempt {number}", warning=True)
    assert len(notes) == WAITING
    sent = notes.take()
    assert [note["message"] for note in sent[:2]] == ["attempt 3", "attempt 4"]
    assert (len(sent), len(notes)) == (SENT, WAITING - SENT)
    notes.keep(sent)
    assert len(notes) == WAITING
    while notes:
        notes.take()
    assert notes.take() == []


def test_a_heartbeat_alone_is_no_news_and_a_transition_keeps_its_time() -> None:
    info = NodeInfo(2000, 1 << 30, 1 << 40, 110, "x://1", "6", "os", "x86_64")
    first = node_object("n", "q", "10.0.0.1", info, (), None, START)
    later = node_object("n", "q", "10.0.0.1", info, (), first, START + 60)
    assert says_the_same(first, later)
    short = node_object("n", "q", "10.0.0.1", info, ("MemoryPressure",), first, START + 60, trouble="down")
    assert not says_the_same(first, short)
    since = {c["type"]: (c["status"], c["lastTransitionTime"][-9:]) for c in short["status"]["conditions"]}
    assert since == {
        "MemoryPressure": ("True", "08:01:00Z"),
        "DiskPressure": ("False", "08:00:00Z"),
        "PIDPressure": ("False", "08:00:00Z"),
        "Ready": ("False", "08:01:00Z"),
    }
