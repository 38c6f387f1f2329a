"""What the API gives of sets before any controller has seen them, and their scales."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.base.errors import Invalid, NotFound
from app.schemas import kinds

TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "main", "image": "web:1"}]},
}
RESOURCES = {
    "statefulsets.apps": ("apps/v1", "StatefulSet"),
    "daemonsets.apps": ("apps/v1", "DaemonSet"),
    "replicationcontrollers": ("v1", "ReplicationController"),
}


def made(world: Any, resource: str, **spec: Any) -> Any:
    version, kind = RESOURCES[resource]
    labels = {"app": "web"}
    selector = labels if version == "v1" else {"matchLabels": labels}
    whole = {"selector": selector, "template": TEMPLATE, **spec}
    obj = {"apiVersion": version, "kind": kind, "metadata": {"name": "web"}, "spec": whole}
    return world.create(resource, obj)


@pytest.mark.parametrize(
    ("resource", "first"),
    [
        ("statefulsets.apps", {"availableReplicas": 0, "replicas": 0}),
        (
            "daemonsets.apps",
            {
                "currentNumberScheduled": 0,
                "desiredNumberScheduled": 0,
                "numberMisscheduled": 0,
                "numberReady": 0,
            },
        ),
        ("replicationcontrollers", {"replicas": 0}),
    ],
)
def test_a_new_set_counts_from_zero(world: Any, resource: str, first: dict[str, int]) -> None:
    assert made(world, resource)["status"] == first


@pytest.mark.parametrize("resource", ["statefulsets.apps", "replicationcontrollers"])
def test_sets_are_scaled_whatever_form_their_selector_has(world: Any, resource: str) -> None:
    made(world, resource, replicas=2)
    kind = kinds.by_resource(resource)
    scale = orjson.loads(world.registry.get_scale(world.request(), kind, "default", "web"))
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 0, "selector": "app=web"})

    scale["spec"]["replicas"] = 5
    world.registry.replace_scale(world.request(), kind, "default", "web", scale)
    stored = world.must(resource, "default/web")
    assert stored["spec"]["replicas"] == 5
    assert stored["metadata"]["generation"] == 2


def test_a_daemon_set_has_no_scale(world: Any) -> None:
    made(world, "daemonsets.apps")
    with pytest.raises(NotFound):
        world.registry.get_scale(world.request(), kinds.by_resource("daemonsets.apps"), "default", "web")


def test_a_template_is_undone_by_the_patch_that_its_revision_holds(world: Any) -> None:
    """As `kubectl rollout undo` sends it: everything that was added since is gone."""
    before = made(world, "statefulsets.apps")["spec"]["template"]
    world.patch(
        "statefulsets.apps",
        "web",
        {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}, "spec": {"hostNetwork": True}}}},
    )
    undo = {"spec": {"template": {"$patch": "replace", **before}}}
    after = world.patch("statefulsets.apps", "web", undo, "application/strategic-merge-patch+json")
    assert after["spec"]["template"] == before


def test_what_a_revision_holds_stays(world: Any) -> None:
    revision = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "web-1"},
        "data": {"spec": {"template": {}}},
        "revision": 1,
    }
    world.create("controllerrevisions.apps", revision)
    assert world.patch("controllerrevisions.apps", "web-1", {"revision": 4})["revision"] == 4
    with pytest.raises(Invalid, match="data: Invalid value: .*: field is immutable"):
        world.patch("controllerrevisions.apps", "web-1", {"data": {"spec": None, "x": 1}})
