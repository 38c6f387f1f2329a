"""Watches: how they begin, what they tell, and how they end."""

from __future__ import annotations

import threading

from app.api import tail, watch, watch_events
from app.api.negotiate import Form
from app.objects.change import Operation
from app.schemas import kinds
from app.store.view import View

CONFIGS = "/api/v1/namespaces/default/configmaps"
WATCH = f"{CONFIGS}?watch=true"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def relabel(api, name, value):
    answer = api.ask(
        "PATCH",
        f"{CONFIGS}/{name}",
        {"metadata": {"labels": {"app": value}}},
        Content_Type="application/merge-patch+json",
    )
    assert answer.status_code == 200, answer.text
    return answer.json


def revision_of(obj):
    return obj["metadata"]["resourceVersion"]


def test_a_watch_without_a_revision_begins_with_what_is_there(api):
    api.config("a")
    events = api.watch(WATCH)
    assert events.seen() == ("ADDED", "a")
    api.config("b")
    assert events.seen() == ("ADDED", "b")
    relabel(api, "a", "x")
    assert events.seen() == ("MODIFIED", "a")
    api.ask("DELETE", f"{CONFIGS}/b")
    assert events.seen() == ("DELETED", "b")
    events.close()


def test_a_watch_from_a_list_tells_exactly_what_came_after_it(api):
    api.config("a")
    listed = api.get(CONFIGS)
    api.config("b")
    events = api.watch(f"{WATCH}&resourceVersion={revision_of(listed)}")
    assert events.seen() == ("ADDED", "b")
    api.config("c")
    assert events.seen() == ("ADDED", "c")
    events.close()


def test_a_deleted_object_comes_with_the_revision_of_its_deletion(api):
    made = api.config("a")
    events = api.watch(f"{WATCH}&resourceVersion={revision_of(made)}")
    api.ask("DELETE", f"{CONFIGS}/a")
    event = events.next()
    assert event["type"] == "DELETED"
    assert int(revision_of(event["object"])) > int(revision_of(made))
    events.close()


def test_other_namespaces_and_kinds_are_not_told_of(api):
    api.create("/api/v1/namespaces", {"metadata": {"name": "other"}})
    events = api.watch(f"{WATCH}&resourceVersion={revision_of(api.get(CONFIGS))}")
    api.create("/api/v1/namespaces/other/configmaps", {"metadata": {"name": "x"}})
    api.create("/api/v1/namespaces/default/secrets", {"metadata": {"name": "y"}})
    api.config("mine")
    assert events.seen() == ("ADDED", "mine")
    events.close()


def test_an_object_that_begins_or_ceases_to_match_is_added_or_deleted(api):
    api.config("a", labels={"app": "x"})
    events = api.watch(f"{WATCH}&labelSelector=app%3Dy&resourceVersion={revision_of(api.get(CONFIGS))}")
    relabel(api, "a", "y")
    assert events.seen() == ("ADDED", "a")
    left = relabel(api, "a", "z")
    event = events.next()
    assert (event["type"], event["object"]["metadata"]["labels"]) == ("DELETED", {"app": "y"})
    assert revision_of(event["object"]) == revision_of(left)
    relabel(api, "a", "y")
    assert events.seen() == ("ADDED", "a")
    events.close()


def test_a_field_selector_picks_one_object(api):
    api.config("a")
    api.config("b")
    events = api.watch(f"{WATCH}&fieldSelector=metadata.name%3Db")
    assert events.seen() == ("ADDED", "b")
    relabel(api, "a", "x")
    relabel(api, "b", "x")
    assert events.seen() == ("MODIFIED", "b")
    events.close()


def test_a_streaming_list_ends_its_beginning_with_a_bookmark(api):
    api.config("a")
    last = api.config("b")
    events = api.watch(
        f"{WATCH}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    )
    assert [events.seen(), events.seen()] == [("ADDED", "a"), ("ADDED", "b")]
    mark = events.next()
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(revision_of(mark["object"])) >= int(revision_of(last))
    api.config("c")
    assert events.seen() == ("ADDED", "c")
    events.close()


def test_a_watch_ends_at_its_time_with_a_last_bookmark(api):
    made = api.config("a")
    events = api.watch(f"{WATCH}&timeoutSeconds=1&allowWatchBookmarks=true")
    told = events.rest()
    assert [event["type"] for event in told] == ["ADDED", "BOOKMARK"]
    assert int(revision_of(told[1]["object"])) >= int(revision_of(made))


def test_a_revision_that_is_no_longer_kept_is_an_error_event(api, store):
    first = api.config("a")
    for number in range(3):
        relabel(api, "a", str(number))
    view = View(store, history=2, keep=False)
    view.catch_up()
    api.app.tail.view = view
    events = api.watch(f"{WATCH}&resourceVersion={revision_of(first)}")
    (event,) = events.rest()
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_a_new_epoch_ends_every_watch(api, store):
    api.config("a")
    events = api.watch(WATCH)
    assert events.seen() == ("ADDED", "a")
    store.begin_epoch(api.app.tail.view.epoch)
    api.app.tail.view.catch_up()
    api.app.tail.dispatch()
    (event,) = events.rest()
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


def test_a_revision_yet_to_come_is_too_large(api, monkeypatch):
    monkeypatch.setattr(watch, "FUTURE", 0.05)
    answer = api.ask("GET", f"{WATCH}&resourceVersion=999999")
    assert (answer.status_code, answer.json["reason"]) == (504, "Timeout")
    assert "Too large resource version" in answer.json["message"]


def test_a_table_watch_describes_its_columns_once(api):
    api.config("a")
    api.config("b")
    events = api.watch(WATCH, Accept=TABLE)
    first, second = events.next()["object"], events.next()["object"]
    assert (first["kind"], first["rows"][0]["cells"][0]) == ("Table", "a")
    assert first["columnDefinitions"]
    assert (second["rows"][0]["cells"][0], second["columnDefinitions"]) == ("b", None)
    api.config("c")
    third = events.next()["object"]
    assert (third["rows"][0]["cells"][0], third["columnDefinitions"]) == ("c", None)
    events.close()


def test_a_closed_watch_is_forgotten(api):
    events = api.watch(WATCH)
    assert api.app.tail.watchers == 1
    events.close()
    assert api.app.tail.watchers == 0


def test_stopping_the_server_ends_every_watch(api):
    api.config("a")
    events = api.watch(WATCH)
    assert events.seen() == ("ADDED", "a")
    threading.Timer(0.05, api.app.stop).start()
    assert events.rest() == []


def test_a_client_that_does_not_keep_up_is_cut_off_and_others_are_not(api, monkeypatch):
    monkeypatch.setattr(tail, "MAX_EVENTS", 3)
    since = int(revision_of(api.get(CONFIGS)))
    hung_up = []

    def line(happening, operation):
        return operation.value.encode()

    slow = tail.Watcher("configmaps", since, lambda _: True, line, lambda: hung_up.append("slow"))
    with api.app.tail.view.lock:
        api.app.tail.join(slow)
    quick = api.watch(f"{WATCH}&resourceVersion={since}")
    for name in "abcdef":
        api.config(name)
        assert quick.seen() == ("ADDED", name)
    assert (slow.cut_off, hung_up) == (True, ["slow"])
    quick.close()


def test_watches_of_the_same_form_share_an_event_s_bytes(api):
    made = api.config("a")
    view = api.app.tail.view
    view.catch_up()
    happening = tail.Happening(view.changes_since(int(revision_of(made)) - 1)[0])
    kind, clock = kinds.by_resource("configmaps"), api.app.gate.clock
    one, other = (watch_events.Lines(kind, Form.JSON, "Metadata", clock) for _ in range(2))
    assert one.of(happening, Operation.ADDED) is other.of(happening, Operation.ADDED)


def test_parameters_that_contradict_each_other_are_refused(api):
    for query, word in (
        ("sendInitialEvents=true", "requires setting resourceVersionMatch"),
        ("resourceVersionMatch=Exact", "forbidden for watch unless sendInitialEvents"),
        ("resourceVersion=abc", "invalid syntax"),
    ):
        answer = api.ask("GET", f"{WATCH}&{query}")
        assert answer.status_code == 422, answer.text
        assert word in answer.json["message"]
