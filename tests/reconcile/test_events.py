"""Events: one for what is alike, counted, and not without bound."""

from __future__ import annotations

import pytest

from app.base.ids import RandomIds
from app.objects.change import Trace
from workers.reconcile.events import BURST, EventWriter
from workers.reconcile.plan import EventNote

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop", "uid": "u1"}}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "u2"}}
TRACE = Trace("t", 3)


@pytest.fixture
def write(world, clock):
    """Write notes as the component `toy`, knowing what a view of its own shows."""
    view = world.view()

    def write(*notes: EventNote, caught_up: bool = True) -> None:
        if caught_up:
            view.catch_up()
        writer.write("toy", [(note, TRACE) for note in notes])

    writer = EventWriter(world.store, lambda key: view.get("events", key), clock, RandomIds(1))
    return write


def test_a_note_becomes_an_event_beside_its_object(world, write):
    write(EventNote(POD, "Scheduled", "assigned to n1"))
    [event] = world.view().list("events")
    assert event["metadata"]["namespace"] == "shop"
    assert event["metadata"]["name"].startswith("web-1.")
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": "shop",
        "name": "web-1",
        "uid": "u1",
    }
    assert (event["reason"], event["message"], event["type"], event["count"]) == (
        "Scheduled",
        "assigned to n1",
        "Normal",
        1,
    )
    assert event["firstTimestamp"] == event["lastTimestamp"] == "1970-01-12T13:46:40Z"


def test_an_event_about_what_has_no_namespace_lies_in_the_default_one(world, write):
    write(EventNote(NODE, "NodeNotReady", "gone", "Warning"))
    assert world.view().keys("events", "default") != []


@pytest.mark.parametrize("caught_up", [True, False])
def test_the_same_again_is_counted_even_by_who_does_not_know_of_the_first(world, write, clock, caught_up):
    write(EventNote(POD, "BackOff", "restarting"))
    clock.sleep(60)
    write(
        EventNote(POD, "BackOff", "restarting"), EventNote(POD, "BackOff", "restarting"), caught_up=caught_up
    )
    [event] = world.view().list("events")
    assert event["count"] == 3
    assert (event["firstTimestamp"], event["lastTimestamp"]) == (
        "1970-01-12T13:46:40Z",
        "1970-01-12T13:47:40Z",
    )


def test_another_message_is_another_event(world, write):
    write(
        EventNote(POD, "Failed", "a"), EventNote(POD, "Failed", "b"), EventNote(POD, "Failed", "a", "Warning")
    )
    assert len(world.view().keys("events")) == 3


def test_one_object_gets_a_burst_of_events_and_then_one_every_five_minutes(world, write, clock):
    write(*(EventNote(POD, "Created", f"pod {n}") for n in range(BURST + 10)))
    assert len(world.view().keys("events")) == BURST
    clock.sleep(299)
    write(EventNote(POD, "Created", "too soon"))
    clock.sleep(301)
    write(EventNote(POD, "Created", "in time"), EventNote(NODE, "Ready", "another object"))
    messages = {event["message"] for event in world.view().list("events")}
    assert {"in time", "another object"} <= messages
    assert "too soon" not in messages


def test_a_long_message_is_cut(world, write):
    write(EventNote(POD, "Failed", "x" * 5000))
    assert len(world.view().list("events")[0]["message"]) == 1024
