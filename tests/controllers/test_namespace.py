from __future__ import annotations

from app.base.clock import rfc3339
from tests.controllers.worlds import START, World, deployment, pod
from workers.controllers import deployment as deployments
from workers.controllers import event_ttl, namespace, replicaset, service_account


def deleted(world: World) -> None:
    def mark(ns: dict) -> None:  # type: ignore[type-arg]
        ns["metadata"].update(deletionTimestamp=rfc3339(START), deletionGracePeriodSeconds=0)

    world.edit("namespaces", "default", mark)


def test_a_namespace_is_emptied_and_then_goes() -> None:
    world = World([namespace.ROLE, deployments.ROLE, replicaset.role(30)])
    world.put("namespaces", {"metadata": {"name": "default"}, "spec": {"finalizers": ["kubernetes"]}})
    world.put("namespaces", {"metadata": {"name": "other"}, "spec": {"finalizers": ["kubernetes"]}})
    world.put("configmaps", {"metadata": {"name": "kept", "namespace": "other"}})
    world.put("configmaps", {"metadata": {"name": "c", "namespace": "default"}})
    world.put("deployments.apps", deployment())
    world.put("pods", pod("bound", "n", app="x"))
    world.settle()
    deleted(world)
    world.settle()
    found = world.get("namespaces", "default")
    assert found is not None
    assert found["status"]["phase"] == "Terminating"
    assert [p["metadata"]["name"] for p in world.list("pods")] == ["bound"]
    assert world.list("deployments.apps") == world.list("replicasets.apps") == []
    world.remove("pods", "default/bound")
    world.settle()
    assert world.keys("namespaces") == ["other"]
    assert world.keys("configmaps") == ["other/kept"]


def test_a_namespace_waits_for_the_finalizers_of_others() -> None:
    world = World([namespace.ROLE])
    world.put("namespaces", {"metadata": {"name": "default"}, "spec": {"finalizers": ["kubernetes"]}})
    world.put("configmaps", {"metadata": {"name": "c", "namespace": "default", "finalizers": ["x.dev/hold"]}})
    deleted(world)
    world.settle()
    assert world.keys("namespaces") == ["default"]
    world.edit("configmaps", "default/c", lambda c: c["metadata"].update(finalizers=[]))
    world.settle()
    assert world.keys("namespaces") == []


def test_events_go_an_hour_after_they_last_happened() -> None:
    world = World([event_ttl.ROLE])
    for name in ("once", "again"):
        world.put(
            "events", {"metadata": {"name": name, "namespace": "default"}, "lastTimestamp": rfc3339(START)}
        )
    world.run("event-ttl-controller", "all")
    world.advance(1800)
    world.edit("events", "default/again", lambda e: e.update(lastTimestamp=rfc3339(world.now)))
    assert len(world.list("events")) == 2
    world.advance(1900)
    assert world.keys("events") == ["default/again"]
    world.advance(1800)
    assert world.keys("events") == []


def test_every_namespace_has_its_default_account_while_it_lives() -> None:
    world = World([namespace.ROLE, service_account.ROLE])
    world.put("namespaces", {"metadata": {"name": "default"}, "spec": {"finalizers": ["kubernetes"]}})
    world.settle()
    assert world.keys("serviceaccounts") == ["default/default"]
    world.remove("serviceaccounts", "default/default")
    world.settle()
    assert world.keys("serviceaccounts") == ["default/default"]
    deleted(world)
    world.settle()
    assert world.keys("serviceaccounts") == world.keys("namespaces") == []
