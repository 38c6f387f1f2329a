"""Events: those alike are counted, what is new is news, and what waits for the API has a bound."""

from __future__ import annotations

from tests.agent.world import pod
from tests.clock import HandClock
from workers.agent.exchange.notes import SENT, WAITING, Notes


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


def test_of_a_long_message_as_much_is_kept_as_an_event_holds() -> None:
    notes = Notes(HandClock())
    notes.tell(pod(), "Unhealthy", "x" * 10_000, warning=True)
    (note,) = notes.take()
    assert note["message"] == "x" * 1024
