"""The roles and bindings that every cluster has from its first moment."""

from __future__ import annotations

import pytest

from app.registry.access import bootstrap
from app.registry.access.attributes import Asked, Subject
from app.registry.bootstrap import bootstrap as begin
from app.schemas import kinds, validate
from app.schemas.types.rbac import GROUP

ROLES, BINDINGS = f"clusterroles.{GROUP}", f"clusterrolebindings.{GROUP}"
MASTERS = {"groups": ("system:masters",)}


@pytest.mark.parametrize(("resource", "obj"), bootstrap.objects(), ids=lambda each: str(each)[:40])
def test_each_default_is_an_object_that_one_could_have_created(resource, obj):
    validate.validate(kinds.by_resource(resource), obj)


def test_they_are_all_there_and_made_only_once(world):
    for resource, obj in bootstrap.objects():
        meta = obj["metadata"]
        key = f"{meta['namespace']}/{meta['name']}" if "namespace" in meta else meta["name"]
        assert world.get(resource, key) is not None, (resource, key)
    before = world.store.revision()
    begin(world.registry, "192.0.2.1", 6443)
    assert world.store.revision() == before


def test_what_was_taken_away_comes_back_and_what_was_added_stays(world):
    role = world.must(ROLES, "system:discovery")
    mine = {"verbs": ["get"], "nonResourceURLs": ["/mine"]}
    role["rules"] = [{"verbs": ["get"], "nonResourceURLs": ["/api"]}, mine]
    world.put(ROLES, role, **MASTERS)
    binding = world.must(BINDINGS, "system:discovery")
    jim = {"kind": "User", "apiGroup": GROUP, "name": "jim"}
    binding["subjects"] = [jim]
    world.put(BINDINGS, binding, **MASTERS)
    world.delete(ROLES, "system:basic-user")

    begin(world.registry, "192.0.2.1", 6443)

    urls = {url for rule in world.must(ROLES, "system:discovery")["rules"] for url in rule["nonResourceURLs"]}
    assert {"/mine", "/api", "/apis", "/openapi/*"} <= urls
    subjects = world.must(BINDINGS, "system:discovery")["subjects"]
    assert jim in subjects
    assert "system:authenticated" in [each["name"] for each in subjects]
    assert world.get(ROLES, "system:basic-user") is not None


def test_what_is_not_to_be_updated_is_left_alone(world):
    role = world.must(ROLES, "system:discovery")
    role["rules"] = []
    role["metadata"]["annotations"][bootstrap.AUTOUPDATE] = "false"
    world.put(ROLES, role, **MASTERS)
    begin(world.registry, "192.0.2.1", 6443)
    assert not world.must(ROLES, "system:discovery").get("rules")


@pytest.mark.parametrize(
    ("role", "allowed", "refused"),
    [
        (
            "view",
            [
                ("get", "", "pods"),
                ("list", "apps", "deployments"),
                ("get", "", "pods/log"),
                ("list", "metrics.k8s.io", "pods"),
            ],
            [
                ("get", "", "secrets"),
                ("create", "", "pods"),
                ("get", "", "pods/exec"),
                ("get", GROUP, "roles"),
            ],
        ),
        (
            "edit",
            [
                ("get", "", "secrets"),
                ("create", "", "pods"),
                ("create", "", "pods/exec"),
                ("get", "", "pods"),
            ],
            [("get", GROUP, "roles"), ("create", "", "resourcequotas"), ("update", "", "pods/status")],
        ),
        (
            "admin",
            [("create", GROUP, "rolebindings"), ("create", "", "pods"), ("list", "apps", "deployments")],
            [("update", "", "namespaces"), ("create", "", "resourcequotas")],
        ),
    ],
)
def test_view_edit_and_admin_allow_what_they_are_known_for(world, role, allowed, refused):
    binding = {
        "metadata": {"name": "joe"},
        "subjects": [{"kind": "User", "apiGroup": GROUP, "name": "joe"}],
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
    }
    world.create(f"rolebindings.{GROUP}", binding, **MASTERS)

    def may(verb, group, resource):
        plural, _, below = resource.partition("/")
        asked = Asked(verb, group, plural, below, "default")
        return world.registry.access.decide(Subject("joe"), asked).allowed

    assert [each for each in allowed if not may(*each)] == []
    assert [each for each in refused if may(*each)] == []
