"""What the status of a quota says, and how claims and volumes that nothing uses are let go."""

from __future__ import annotations

from tests.controllers.worlds import WHERE, World, pod
from workers.controllers import resource_quota, storage_protection

WHERE.setdefault("resourcequotas", ("v1", "ResourceQuota"))
WHERE.setdefault("persistentvolumeclaims", ("v1", "PersistentVolumeClaim"))
WHERE.setdefault("persistentvolumes", ("v1", "PersistentVolume"))


def quota(**hard: str) -> dict:
    return {"metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": hard}}


def status(world: World) -> dict:
    return world.get("resourcequotas", "default/q")["status"]


def test_the_status_follows_what_is_created_finished_and_deleted() -> None:
    world = World(roles=[resource_quota.role()])
    world.put("resourcequotas", quota(pods="5", **{"requests.cpu": "1"}))
    world.settle()
    assert status(world) == {
        "hard": {"pods": "5", "requests.cpu": "1"},
        "used": {"pods": "0", "requests.cpu": "0"},
    }
    for name in "ab":
        world.put("pods", pod(name))
    world.settle()
    assert status(world)["used"] == {"pods": "2", "requests.cpu": "200m"}
    world.edit("pods", "default/a", lambda p: p["status"].update(phase="Succeeded"))
    world.settle()
    world.remove("pods", "default/b")
    world.settle()
    assert status(world)["used"] == {"pods": "0", "requests.cpu": "0"}


def test_a_change_of_a_pod_that_changes_no_sum_is_no_work() -> None:
    world = World(roles=[resource_quota.role()])
    world.put("resourcequotas", quota(pods="5"))
    world.put("pods", pod("a"))
    world.settle()
    world.make_ready("default/a")
    assert not world.queue


def test_a_quota_over_services_does_not_look_at_pods() -> None:
    world = World(roles=[resource_quota.role()])
    world.put("resourcequotas", quota(services="5"))
    world.settle()
    world.put("pods", pod("a"))
    assert not world.queue


def going(kind: str, name: str, **more: object) -> dict:
    finalizer = "kubernetes.io/pvc-protection" if kind == "claim" else "kubernetes.io/pv-protection"
    meta = {"name": name, "finalizers": [finalizer]}
    if kind == "claim":
        meta["namespace"] = "default"
    return {"metadata": meta, "spec": {}, **more}


def marked(world: World, resource: str, key: str) -> None:
    """Somebody has deleted it."""
    world.edit(resource, key, lambda o: o["metadata"].update(deletionTimestamp="2026-01-01T00:00:00Z"))


def mounting(name: str, claim: str, node: str = "n1") -> dict:
    return pod(name, node, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": claim}}])


def finalizers(world: World, resource: str, key: str) -> list[str]:
    return list(world.get(resource, key)["metadata"].get("finalizers") or ())


def test_a_claim_goes_when_the_last_pod_that_mounts_it_has_finished() -> None:
    world = World(roles=[storage_protection.CLAIM_ROLE])
    world.put("pods", mounting("p", "c"))
    world.put("persistentvolumeclaims", going("claim", "c"))
    marked(world, "persistentvolumeclaims", "default/c")
    world.settle()
    assert finalizers(world, "persistentvolumeclaims", "default/c")
    world.edit("pods", "default/p", lambda p: p["status"].update(phase="Failed"))
    world.settle()
    left = world.get("persistentvolumeclaims", "default/c")
    assert left is None or not left["metadata"].get("finalizers")


def test_a_claim_does_not_wait_for_a_pod_that_waits_for_its_node_which_it_is_refused_because_of_the_claim() -> (
    None
):
    world = World(roles=[storage_protection.CLAIM_ROLE])
    world.put("pods", mounting("p", "c", node=""))
    world.put("persistentvolumeclaims", going("claim", "c"))
    marked(world, "persistentvolumeclaims", "default/c")
    world.settle()
    left = world.get("persistentvolumeclaims", "default/c")
    assert left is None or not left["metadata"].get("finalizers")


def test_a_volume_goes_when_no_claim_is_bound_to_it() -> None:
    world = World(roles=[storage_protection.VOLUME_ROLE])
    world.put("persistentvolumes", going("volume", "v", status={"phase": "Bound"}))
    marked(world, "persistentvolumes", "v")
    world.settle()
    assert finalizers(world, "persistentvolumes", "v")
    world.edit("persistentvolumes", "v", lambda v: v.update(status={"phase": "Released"}))
    world.settle()
    left = world.get("persistentvolumes", "v")
    assert left is None or not left["metadata"].get("finalizers")
