"""What admission refuses is told in the status of whoever asked for it, and no longer once it is let in."""

from __future__ import annotations

import pytest

from app.base.ids import RandomIds
from app.bus.work import Work
from app.objects import conditions
from app.objects.change import Object, Trace
from app.store.view import View
from tests.reconcile.conftest import World
from workers.controllers import replicaset
from workers.reconcile.shell import Reconciler

ROLE = "replicaset-controller"
KEY = "default/web"
FORBIDDEN = 'pods "web-" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'


def named(kind: str, name: str, **more: Object) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "default"}, **more}


def quota(pods: str) -> Object:
    return named("ResourceQuota", "q", spec={"hard": {"pods": pods}})


@pytest.fixture
def home(world: World) -> World:
    """A namespace with room for one pod, and a ReplicaSet that wants two."""
    world.put("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    world.put("serviceaccounts", named("ServiceAccount", "default"))
    world.put("resourcequotas", quota("1"))
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    owner = {**named("ReplicaSet", "web", spec=spec), "apiVersion": "apps/v1"}
    owner["metadata"]["uid"] = "u-web"
    world.put("replicasets.apps", owner)
    return world


def run(world: World) -> None:
    world.clock.move(600)
    world.ledger.sweep(world.clock.now())
    world.ledger.enqueue([Work(ROLE, KEY, Trace("t", 1))], world.clock.now())
    view = View(world.store)
    role = replicaset.role(30)
    Reconciler(world.store, view, world.ledger, [role], world.clock, RandomIds(5)).run(ROLE, [KEY])


def failure(world: World) -> Object | None:
    found = world.view().get("replicasets.apps", KEY)
    assert found is not None
    return conditions.get(found, "ReplicaFailure")


def test_a_replica_set_tells_of_the_quota_that_keeps_its_pods_away(home: World) -> None:
    run(home)
    assert len(home.view().list("pods")) == 1
    told = failure(home)
    assert told is not None
    assert (told["status"], told["reason"], told["message"]) == ("True", "FailedCreate", FORBIDDEN)

    run(home)
    before = home.view().revision
    run(home)
    changed = [c.resource for c in home.view().changes_since(before)]
    assert "replicasets.apps" not in changed

    given = home.view().get("resourcequotas", "default/q")
    assert given is not None
    home.change({**given, "spec": {"hard": {"pods": "2"}}})
    run(home)
    run(home)
    assert len(home.view().list("pods")) == 2
    assert failure(home) is None
