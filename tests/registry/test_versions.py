"""Kinds that are served in several versions."""

from __future__ import annotations

import orjson
import pytest

from app.base.errors import Invalid
from app.registry.request import DeleteOptions, ListOptions
from app.schemas import kinds

NEW = kinds.by_path("events.k8s.io", "v1", "events")
ABOUT = {"kind": "Pod", "name": "p", "namespace": "default"}
TOLD = {
    "metadata": {"name": "e"},
    "eventTime": "2027-01-15T08:00:00.000000Z",
    "reportingController": "example.com/teller",
    "reportingInstance": "teller-1",
    "action": "Telling",
    "reason": "Told",
    "type": "Normal",
    "regarding": ABOUT,
    "note": "it was told",
}


def create(world, obj):
    return orjson.loads(world.registry.create(world.request(), NEW, "default", obj))


def test_an_event_in_the_new_form_is_stored_in_the_old_one(world):
    made = create(world, TOLD)
    stored = world.must("events", "default/e")

    assert made["apiVersion"] == "events.k8s.io/v1"
    assert (made["note"], made["regarding"]) == ("it was told", ABOUT)
    assert stored["apiVersion"] == "v1"
    assert (stored["message"], stored["involvedObject"]) == ("it was told", ABOUT)
    assert stored["reportingComponent"] == "example.com/teller"
    assert "note" not in stored


def test_an_event_is_read_in_the_form_that_is_asked_for(world):
    about = {**ABOUT, "uid": "u"}
    world.create("events", {"metadata": {"name": "e"}, "involvedObject": about, "message": "m", "count": 3})

    one = orjson.loads(world.registry.get(world.request(), NEW, "default", "e"))
    found = world.registry.list(world.request(), NEW, "default", ListOptions())

    assert (one["regarding"], one["note"], one["deprecatedCount"]) == (about, "m", 3)
    assert orjson.loads(found.json())["items"] == [one]
    assert orjson.loads(found.json())["apiVersion"] == "events.k8s.io/v1"
    assert found.objects() == [one]


def test_a_patch_is_meant_for_the_form_that_it_was_sent_to(world):
    create(world, TOLD)
    patch = {"note": "changed", "series": {"count": 2, "lastObservedTime": "2027-01-15T08:00:01.000000Z"}}

    world.registry.patch(world.request(), NEW, "default", "e", patch, "application/merge-patch+json")

    stored = world.must("events", "default/e")
    assert stored["message"] == "changed"
    assert stored["series"]["count"] == 2


def test_what_only_the_new_form_asks_for_is_checked_there(world):
    with pytest.raises(Invalid) as refused:
        create(world, {"metadata": {"name": "e"}, "regarding": ABOUT})

    assert "reportingController" in {cause.field for cause in refused.value.causes}
    assert world.get("events", "default/e") is None


def test_deleting_it_in_one_form_deletes_it_in_all(world):
    create(world, TOLD)

    world.registry.delete(world.request(), NEW, "default", "e", DeleteOptions())

    assert world.names("events") == []


def test_bytes_of_the_stored_version_are_handed_through(world):
    world.create("configmaps", {"metadata": {"name": "c"}, "data": {"a": "b"}})
    kind = kinds.by_resource("configmaps")

    read = world.registry.get(world.request(), kind, "default", "c")
    listed = world.registry.list(world.request(), kind, "default", ListOptions())

    assert read == world.store.get("configmaps", "default/c").body
    assert [record.body for record in listed.records] == [read]
