from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.base.errors import BadRequest, Conflict, Invalid, NotFound, UnsupportedMediaType
from app.objects import merge_patch
from app.registry.request import DeleteOptions
from app.schemas import kinds

JSON = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


def test_a_replaced_object_keeps_who_it_is(world: Any, make: Any) -> None:
    made = world.create("configmaps", make.config_map(k="1"))
    put = world.put("configmaps", {"metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "2"}})
    assert put == world.must("configmaps", "default/a")
    assert put["data"] == {"k": "2"}
    assert put["metadata"]["labels"] == {"x": "y"}
    assert put["metadata"]["uid"] == made["metadata"]["uid"]
    assert put["metadata"]["creationTimestamp"] == made["metadata"]["creationTimestamp"]


def test_a_version_that_is_not_the_newest_is_a_conflict(world: Any, make: Any) -> None:
    made = world.create("configmaps", make.config_map(k="1"))
    newer = world.put("configmaps", {**made, "data": {"k": "2"}})
    with pytest.raises(Conflict) as refused:
        world.put("configmaps", {**made, "data": {"k": "3"}})
    assert refused.value.message == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert world.must("configmaps", "default/a") == newer


def test_a_version_that_is_no_number_is_invalid(world: Any, make: Any) -> None:
    world.create("configmaps", make.config_map())
    with pytest.raises(Invalid, match='metadata.resourceVersion: Invalid value: "x"'):
        world.put("configmaps", {"metadata": {"name": "a", "resourceVersion": "x"}})


def test_another_object_of_that_name_is_a_conflict(world: Any, make: Any) -> None:
    world.create("configmaps", make.config_map())
    with pytest.raises(Conflict, match="Precondition failed: UID in precondition: other"):
        world.put("configmaps", {"metadata": {"name": "a", "uid": "other"}})


def test_an_update_that_changes_nothing_is_not_written(world: Any, make: Any) -> None:
    made = world.create("deployments.apps", make.deployment())
    before = world.store.revision()
    assert world.put("deployments.apps", made) == made
    assert world.put("deployments.apps", make.deployment()) == made
    assert world.patch("deployments.apps", "web", {"spec": {"replicas": 3}}) == made
    assert world.store.revision() == before


def test_replacing_what_is_not_there_is_not_found(world: Any, make: Any) -> None:
    with pytest.raises(NotFound, match=r'^configmaps "a" not found$'):
        world.put("configmaps", make.config_map())
    with pytest.raises(NotFound, match=r'^deployments\.apps "web" not found$'):
        world.patch("deployments.apps", "web", {})


def test_a_name_other_than_the_one_in_the_path_is_refused(world: Any, make: Any) -> None:
    world.create("configmaps", make.config_map())
    kind = kinds.by_resource("configmaps")
    with pytest.raises(
        BadRequest, match=r"^the name of the object \(b\) does not match the name on the URL \(a\)$"
    ):
        world.registry.replace(world.request(), kind, "default", "a", make.config_map("b"), "")
    with pytest.raises(BadRequest, match="does not match the name on the URL"):
        world.patch("configmaps", "a", {"metadata": {"name": "b"}})


def test_the_generation_counts_changes_of_the_spec_only(world: Any, make: Any) -> None:
    world.create("deployments.apps", make.deployment())
    labelled = world.patch("deployments.apps", "web", {"metadata": {"labels": {"x": "y"}}})
    assert labelled["metadata"]["generation"] == 1
    assert world.patch("deployments.apps", "web", {"spec": {"replicas": 5}})["metadata"]["generation"] == 2
    status = world.patch("deployments.apps", "web", {"status": {"replicas": 5}}, subresource="status")
    assert status["metadata"]["generation"] == 2


def test_the_status_changes_by_its_own_path_only(world: Any, make: Any) -> None:
    made = world.create("deployments.apps", make.deployment())
    put = world.put("deployments.apps", {**made, "status": {"replicas": 9}})
    assert put["status"] == {}
    more = {
        **made,
        "spec": {**made["spec"], "replicas": 7},
        "status": {"replicas": 2, "observedGeneration": 1},
    }
    put = world.put("deployments.apps", more, "status")
    assert put["status"] == {"replicas": 2, "observedGeneration": 1}
    assert put["spec"]["replicas"] == 3


def test_a_kind_without_status_has_no_such_path(world: Any, make: Any) -> None:
    world.create("configmaps", make.config_map())
    with pytest.raises(NotFound):
        world.patch("configmaps", "a", {}, subresource="status")


def test_what_may_not_be_changed_is_refused(world: Any, make: Any) -> None:
    world.create("deployments.apps", make.deployment())
    with pytest.raises(Invalid, match="field is immutable"):
        world.patch("deployments.apps", "web", {"spec": {"selector": {"matchLabels": {"app": "other"}}}})


def test_the_three_forms_of_patch(world: Any, make: Any) -> None:
    world.create("deployments.apps", make.deployment())
    one = world.patch(
        "deployments.apps", "web", [{"op": "replace", "path": "/spec/replicas", "value": 4}], JSON
    )
    assert one["spec"]["replicas"] == 4
    assert world.patch("deployments.apps", "web", {"spec": {"replicas": 5}})["spec"]["replicas"] == 5
    spec = {
        "template": {
            "spec": {"containers": [{"name": "web", "image": "web:2"}, {"name": "log", "image": "log:1"}]}
        }
    }
    patched = world.patch("deployments.apps", "web", {"spec": spec}, STRATEGIC)
    images = {c["name"]: c["image"] for c in patched["spec"]["template"]["spec"]["containers"]}
    assert images == {"web": "web:2", "log": "log:1"}


def test_other_forms_of_patch_are_refused_clearly(world: Any, make: Any) -> None:
    world.create("configmaps", make.config_map())
    with pytest.raises(UnsupportedMediaType, match="accepted media types include"):
        world.patch("configmaps", "a", {}, "application/apply-patch+cbor")
    with pytest.raises(UnsupportedMediaType, match="accepted media types include"):
        world.patch("configmaps", "a", {}, "application/json")


def test_a_patch_that_names_an_old_version_is_a_conflict(world: Any, make: Any) -> None:
    made = world.create("configmaps", make.config_map(k="1"))
    world.patch("configmaps", "a", {"data": {"k": "2"}})
    version = made["metadata"]["resourceVersion"]
    with pytest.raises(Conflict):
        world.patch("configmaps", "a", {"metadata": {"resourceVersion": version}, "data": {"k": "3"}})
    assert world.must("configmaps", "default/a")["data"] == {"k": "2"}


def test_a_patch_with_unknown_fields_is_refused_or_warned_of_once(world: Any, make: Any) -> None:
    world.create("configmaps", make.config_map())
    with pytest.raises(BadRequest, match='unknown field "datta"'):
        world.patch("configmaps", "a", {"datta": {}}, field_validation="Strict")
    request = world.request()
    kind = kinds.by_resource("configmaps")
    world.registry.patch(request, kind, "default", "a", {"datta": {}}, "application/merge-patch+json", "")
    assert request.warnings == ['unknown field "datta"']


def test_a_deeply_nested_patch_is_a_bad_request(world: Any, make: Any) -> None:
    world.create("configmaps", make.config_map())
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    for form in (STRATEGIC, "application/merge-patch+json"):
        with pytest.raises(BadRequest):
            world.patch("configmaps", "a", deep, form)


def test_concurrent_patches_all_take_effect(world: Any, make: Any) -> None:
    world.create("configmaps", make.config_map())

    def work(number: int) -> None:
        for step in range(10):
            world.patch("configmaps", "a", {"data": {f"k{number}-{step}": "v"}})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.must("configmaps", "default/a")["data"]) == 40


texts = st.dictionaries(st.text("abc", min_size=1, max_size=2), st.text("xyz", max_size=2), max_size=4)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts, texts)
def test_a_computed_merge_patch_leads_from_one_object_to_another(
    world: Any, make: Any, first: dict[str, str], second: dict[str, str]
) -> None:
    if world.get("configmaps", "default/a"):
        world.delete("configmaps", "a")
    world.create("configmaps", make.config_map(**first))
    patch = {"data": merge_patch.between(first, second)}
    world.patch("configmaps", "a", patch)
    once = world.must("configmaps", "default/a")
    assert once.get("data", {}) == second
    world.patch("configmaps", "a", patch)
    assert world.must("configmaps", "default/a") == once


def test_taking_out_the_last_finalizer_of_a_deleted_object_removes_it(world: Any, make: Any) -> None:
    raw = make.config_map()
    raw["metadata"]["finalizers"] = ["example.com/f"]
    world.create("configmaps", raw)
    removed = world.delete("configmaps", "a")
    assert not removed.gone
    marked = world.must("configmaps", "default/a")
    assert marked["metadata"]["deletionTimestamp"] == "2027-01-15T08:00:00Z"
    with pytest.raises(Invalid):
        world.patch("configmaps", "a", {"metadata": {"finalizers": ["example.com/f", "example.com/g"]}})
    world.patch("configmaps", "a", {"metadata": {"finalizers": None}})
    assert world.get("configmaps", "default/a") is None


def test_a_dry_run_of_a_change_shows_it_and_makes_none(world: Any, make: Any) -> None:
    made = world.create("configmaps", make.config_map(k="1"))
    assert world.patch("configmaps", "a", {"data": {"k": "2"}}, dry_run=True)["data"] == {"k": "2"}
    assert world.put("configmaps", make.config_map(k="3"), dry_run=True)["data"] == {"k": "3"}
    kind = kinds.by_resource("configmaps")
    world.registry.delete(world.request(dry_run=True), kind, "default", "a", DeleteOptions())
    assert world.must("configmaps", "default/a") == made
