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


def test_what_was_made_in_one_form_and_is_put_back_in_the_other_keeps_its_managers(world):
    create(world, TOLD)
    kind = kinds.by_resource("events")
    before = world.store.get("events", "default/e")

    same = orjson.loads(world.registry.get(world.request(), kind, "default", "e"))
    world.registry.replace(world.request(), kind, "default", "e", same)

    assert same["metadata"]["managedFields"]
    assert world.store.get("events", "default/e") == before


OLD_SCALER = kinds.by_path("autoscaling", "v1", "horizontalpodautoscalers")
SCALER = {
    "metadata": {"name": "h"},
    "spec": {
        "maxReplicas": 5,
        "scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"},
        "targetCPUUtilizationPercentage": 70,
    },
}


@pytest.mark.parametrize("subresource", ["", "status"])
def test_an_autoscaler_that_is_put_back_in_its_old_form_stays_as_it_is(world, subresource):
    world.registry.create(world.request(), OLD_SCALER, "default", SCALER)
    before = world.store.get("horizontalpodautoscalers.autoscaling", "default/h")

    same = orjson.loads(world.registry.get(world.request(), OLD_SCALER, "default", "h"))
    world.registry.replace(world.request(), OLD_SCALER, "default", "h", same, subresource)

    assert world.store.get("horizontalpodautoscalers.autoscaling", "default/h") == before


@pytest.mark.parametrize(
    "said", ["5", "[]", '{"scaleUp": 5}', '[{"type": 5}]', '[{"type": "Pods", "pods": []}]', "{"]
)
@pytest.mark.parametrize("note", ["metrics", "current-metrics", "conditions", "behavior"])
def test_nonsense_in_an_old_autoscalers_notes_is_passed_over(world, note, said):
    meta = {"name": "h", "annotations": {f"autoscaling.alpha.kubernetes.io/{note}": said}}
    try:
        world.registry.create(world.request(), OLD_SCALER, "default", {**SCALER, "metadata": meta})
    except Invalid:
        assert note == "metrics"
        return

    stored = world.get("horizontalpodautoscalers.autoscaling", "default/h")
    assert "behavior" not in stored["spec"]
    assert stored["spec"]["metrics"][-1]["resource"]["target"]["averageUtilization"] == 70
