"""Custom resources: kinds that come and go with their definitions."""

from __future__ import annotations

import copy
import gc
import weakref

import orjson
import pytest

from app.base.errors import ApiError, BadRequest, Invalid, MethodNotAllowed, UnsupportedMediaType
from app.client.webhooks import Endpoint
from app.registry.request import ListOptions
from app.schemas.custom.naming import accepted
from tests.definitions import CRONTABS, DEFINITIONS, crontab, definition, version
from tests.registry.admission.webhook_server import WebhookServer

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


class Custom:
    """Definitions in a cluster, and what is done with their objects."""

    def __init__(self, world) -> None:
        self.world = world
        self.registry = world.registry

    def define(self, given):
        """A definition that is established."""
        made = self.world.create(DEFINITIONS, given)
        return self.world.put(DEFINITIONS, accepted(made, [], self.world.clock.now()), "status")

    def redefine(self, name, change):
        found = self.world.must(DEFINITIONS, name)
        change(found)
        put = self.world.put(DEFINITIONS, found)
        self.registry.catalog.catch_up()
        return put

    def kind(self, name="v1", plural="crontabs", registry=None):
        return (registry or self.registry).catalog.find("example.com", name, plural)

    def create(self, obj, name="v1", **more):
        return orjson.loads(self.registry.create(self.world.request(**more), self.kind(name), "default", obj))

    def patch(self, name, body, media=MERGE, subresource="", at="v1"):
        kind = self.kind(at)
        return orjson.loads(
            self.registry.patch(self.world.request(), kind, "default", name, body, media, subresource)
        )

    def get(self, name, at="v1"):
        return orjson.loads(self.registry.get(self.world.request(), self.kind(at), "default", name))


@pytest.fixture
def custom(world):
    return Custom(world)


def test_a_kind_is_served_from_the_moment_its_definition_is_established(custom):
    other = custom.world.another(2)
    assert custom.kind(registry=other) is None

    custom.world.create(DEFINITIONS, definition())
    assert custom.kind(registry=other) is None
    found = custom.world.must(DEFINITIONS, CRONTABS)
    custom.world.put(DEFINITIONS, accepted(found, [], 0.0), "status")

    assert custom.kind(registry=other).kind == "CronTab"


def test_an_object_is_pruned_and_filled_in_when_it_is_created(custom):
    custom.define(definition())

    made = custom.create(crontab(x=1))

    assert (made["apiVersion"], made["kind"]) == ("example.com/v1", "CronTab")
    assert made["spec"] == {"cronSpec": "* * * * *", "image": "busybox", "replicas": 1}
    assert made["metadata"]["generation"] == 1


def test_unknown_fields_are_told_as_the_client_asks(custom):
    custom.define(definition())
    request = custom.world.request()

    custom.registry.create(request, custom.kind(), "default", crontab(x=1))

    assert request.warnings == ['unknown field "spec.x"']
    with pytest.raises(BadRequest, match='strict decoding error: unknown field "spec.x"'):
        custom.create(crontab("b", x=1), field_validation="Strict")


def test_a_wrong_object_is_refused_and_not_stored(custom):
    custom.define(definition())

    with pytest.raises(Invalid, match='CronTab.example.com "a" is invalid: spec.replicas: Invalid value: 11'):
        custom.create(crontab(replicas=11))

    assert custom.world.get(CRONTABS, "default/a") is None


def test_the_generation_counts_everything_but_metadata_and_a_status_of_its_own(custom):
    custom.define(definition())
    custom.create(crontab())

    labelled = custom.patch("a", {"metadata": {"labels": {"a": "b"}}})
    reported = custom.patch("a", {"status": {"replicas": 2}}, subresource="status")
    changed = custom.patch("a", {"spec": {"replicas": 2}})

    assert [o["metadata"]["generation"] for o in (labelled, reported, changed)] == [1, 1, 2]


def test_without_the_subresource_the_status_is_a_field_like_any_other(custom):
    custom.define(definition(version(subresources={})))

    made = custom.create({**crontab(), "status": {"replicas": 1}})
    changed = custom.patch("a", {"status": {"replicas": 2}})

    assert made["status"] == {"replicas": 1}
    assert changed["status"] == {"replicas": 2}
    assert changed["metadata"]["generation"] == 2


def test_with_the_subresource_each_path_changes_its_own_part(custom):
    custom.define(definition())
    made = custom.create({**crontab(), "status": {"replicas": 1}})

    reported = custom.patch("a", {"status": {"replicas": 2}, "spec": {"replicas": 5}}, subresource="status")
    changed = custom.patch("a", {"status": {"replicas": 9}, "spec": {"replicas": 6}})

    assert "status" not in made
    assert (reported["status"], reported["spec"]["replicas"]) == ({"replicas": 2}, 1)
    assert (changed["status"], changed["spec"]["replicas"]) == ({"replicas": 2}, 6)


def test_a_scale_is_where_the_definition_says(custom):
    custom.define(definition())
    custom.create(crontab(replicas=3))
    custom.patch("a", {"status": {"replicas": 2, "selector": "a=b"}}, subresource="status")
    request, kind = custom.world.request(), custom.kind()

    shown = orjson.loads(custom.registry.get_scale(request, kind, "default", "a"))
    custom.registry.patch_scale(request, kind, "default", "a", {"spec": {"replicas": 4}}, MERGE)

    assert (shown["spec"], shown["status"]) == ({"replicas": 3}, {"replicas": 2, "selector": "a=b"})
    assert custom.get("a")["spec"]["replicas"] == 4
    with pytest.raises(Invalid, match="spec.replicas"):
        custom.registry.patch_scale(request, kind, "default", "a", {"spec": {"replicas": 40}}, MERGE)


def test_there_is_no_strategic_merge_patch(custom):
    custom.define(definition())
    custom.create(crontab())

    with pytest.raises(UnsupportedMediaType, match="accepted media types include"):
        custom.patch("a", {"spec": {"replicas": 2}}, STRATEGIC)


def two_versions(**spec):
    old = version("v1")
    new = version("v2", storage=False)
    properties = new["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["extra"] = {"type": "string", "default": "more"}
    return definition(old, new, **spec)


def test_an_object_is_shown_in_every_version(custom):
    custom.define(two_versions())
    custom.create(crontab())

    old, new = custom.get("a"), custom.get("a", "v2")

    assert (old["apiVersion"], new["apiVersion"]) == ("example.com/v1", "example.com/v2")
    assert "extra" not in old["spec"]
    assert new["spec"]["extra"] == "more"
    assert custom.world.must(CRONTABS, "default/a")["apiVersion"] == "example.com/v1"
    listed = custom.registry.list(custom.world.request(), custom.kind("v2"), "default", ListOptions())
    assert orjson.loads(listed.json())["items"] == [new]


def test_an_object_is_held_to_the_schema_of_the_version_that_it_is_written_in(custom):
    given = two_versions()
    spec = given["spec"]["versions"][1]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["replicas"]["maximum"] = 3
    custom.define(given)

    custom.create(crontab(replicas=5))

    with pytest.raises(Invalid, match="less than or equal to 3"):
        custom.create(crontab("b", replicas=5), "v2")
    with pytest.raises(Invalid, match="less than or equal to 3"):
        custom.patch("a", {"spec": {"replicas": 4}}, at="v2")
    assert custom.patch("a", {"spec": {"replicas": 4}})["spec"]["replicas"] == 4


def test_when_the_stored_version_changes_old_objects_are_still_read_and_rewritten(custom):
    custom.define(two_versions())
    custom.create(crontab())

    def swap(found):
        for each in found["spec"]["versions"]:
            each["storage"] = not each["storage"]

    swapped = custom.redefine(CRONTABS, swap)
    assert swapped["status"]["storedVersions"] == ["v1", "v2"]
    assert custom.get("a", "v2")["spec"]["extra"] == "more"

    custom.patch("a", {}, at="v2")
    assert custom.world.must(CRONTABS, "default/a")["apiVersion"] == "example.com/v2"


def test_a_new_default_shows_in_objects_that_were_there_before(custom):
    custom.define(definition())
    custom.create(crontab())

    def add(found):
        schema = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        schema["properties"]["spec"]["properties"]["later"] = {"type": "string", "default": "now"}

    custom.redefine(CRONTABS, add)

    assert custom.get("a")["spec"]["later"] == "now"
    assert "later" not in custom.world.must(CRONTABS, "default/a")["spec"]


class Webhook:
    """A conversion webhook that says where it put `spec.cronSpec`."""

    def __init__(self, answer=None) -> None:
        self.answer = answer
        self.asked = []

    def post(self, endpoint, body, seconds):
        review = orjson.loads(body)
        request = review["request"]
        self.asked.append((endpoint.shown, request["desiredAPIVersion"], len(request["objects"])))
        made = []
        for obj in copy.deepcopy(request["objects"]):
            obj["apiVersion"] = request["desiredAPIVersion"]
            obj["spec"]["image"] = f"seen-by-{request['desiredAPIVersion'].rpartition('/')[2]}"
            made.append(obj)
        response = {"uid": request["uid"], "result": {"status": "Success"}, "convertedObjects": made}
        response.update(self.answer or {})
        return orjson.dumps(
            {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}
        )


WEBHOOK = {
    "strategy": "Webhook",
    "webhook": {
        "conversionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://127.0.0.1:7/convert"},
    },
}


def test_a_webhook_converts_all_objects_of_a_list_at_once(custom):
    custom.registry.webhooks = webhook = Webhook()
    custom.define(two_versions(conversion=WEBHOOK))
    for name in "abc":
        custom.create(crontab(name))

    found = custom.registry.list(custom.world.request(), custom.kind("v2"), "default", ListOptions())

    assert [o["spec"]["image"] for o in found.objects()] == ["seen-by-v2"] * 3
    assert [count for _, version_, count in webhook.asked if version_ == "example.com/v2"] == [3]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"result": {"status": "Failure", "message": "no way"}}, "no way"),
        ({"uid": "other"}, "expected a ConversionReview"),
        ({"convertedObjects": []}, "expected 1 converted objects"),
        ({"convertedObjects": [{"metadata": {"name": "other"}}]}, "a converted object is of"),
    ],
)
def test_a_webhook_that_fails_is_named_in_the_error(custom, answer, message):
    custom.registry.webhooks = Webhook(answer)
    custom.define(two_versions(conversion=WEBHOOK))
    custom.create(crontab())

    with pytest.raises(ApiError, match=f"conversion webhook for {CRONTABS}, .*{message}"):
        custom.get("a", "v2")


def test_a_webhook_is_asked_over_https_and_trusted_by_its_bundle(custom, tmp_path):
    server = WebhookServer(tmp_path, ["127.0.0.1"])
    convert = Webhook()

    def answer(request):
        review = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "request": request}
        return orjson.loads(convert.post(Endpoint("", 0, "", "", "", ""), orjson.dumps(review), 1))

    server.answers["/convert"] = answer
    client = {"url": server.url("/convert"), "caBundle": server.ca_bundle}
    webhook = {"conversionReviewVersions": ["v1"], "clientConfig": client}
    try:
        custom.define(two_versions(conversion={"strategy": "Webhook", "webhook": webhook}))
        custom.create(crontab("a"), "v2")

        assert custom.world.must(CRONTABS, "default/a")["apiVersion"] == "example.com/v1"
        assert custom.get("a", "v2")["spec"]["image"] == "seen-by-v2"
        assert {each["desiredAPIVersion"] for each in server.asked["/convert"]} == {
            "example.com/v1", "example.com/v2",
        }  # fmt: skip
    finally:
        server.stop()


def test_a_definition_that_is_deleted_waits_and_takes_no_more_objects(custom):
    custom.define(definition())
    custom.world.delete(DEFINITIONS, CRONTABS)

    assert custom.world.must(DEFINITIONS, CRONTABS)["metadata"]["finalizers"] == [
        "customresourcecleanup.apiextensions.k8s.io"
    ]
    custom.registry.catalog.catch_up()
    with pytest.raises(MethodNotAllowed, match="definition is terminating"):
        custom.create(crontab())


def test_an_object_that_was_on_its_way_when_its_definition_went_does_not_come(custom):
    custom.define(definition())
    late = custom.world.another(2)
    late.view.catch_up()
    kind = custom.kind(registry=late)

    custom.world.delete(DEFINITIONS, CRONTABS)
    with pytest.raises(MethodNotAllowed):
        late.create(custom.world.request(), kind, "default", crontab())

    assert custom.world.get(CRONTABS, "default/a") is None


def test_of_a_definition_that_is_gone_nothing_is_kept(custom):
    custom.define(definition())
    custom.create(crontab())
    kind = weakref.ref(custom.kind().custom)

    def forget(found):
        found["metadata"]["finalizers"] = []

    custom.world.delete(DEFINITIONS, CRONTABS)
    custom.redefine(CRONTABS, forget)

    assert custom.kind() is None
    assert custom.registry.catalog.custom() == []
    gc.collect()
    assert kind() is None


def test_a_deprecated_version_warns_those_who_use_it(custom):
    custom.define(definition(version(deprecated=True)))

    assert custom.kind().warning == "example.com/v1 CronTab is deprecated"
