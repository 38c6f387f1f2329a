from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.base.clock import rfc3339
from app.objects import deletion
from app.objects.change import Object
from app.objects.meta import controller_reference
from tests.controllers.worlds import START, WHERE, World, deployment, pod, replica_set
from workers.controllers import deployment as deployments
from workers.controllers import garbage, replicaset
from workers.controllers.owners import Where

PLACES = {
    where: Where(resource, resource not in ("nodes", "namespaces")) for resource, where in WHERE.items()
}


def lookup(api_version: str, kind: str) -> Where | None:
    return PLACES.get((api_version, kind))


def garbage_world(*more: Any) -> World:
    return World([garbage.role(lookup), *more])


def config(name: str, *owners: Object, **meta: Any) -> Object:
    references = [{**controller_reference(o), "controller": False} for o in owners]
    body: Object = {"metadata": {"name": name, "namespace": "default", **meta}}
    if references:
        body["metadata"]["ownerReferences"] = references
    return body


def left(world: World, resource: str = "configmaps") -> list[str]:
    return [o["metadata"]["name"] for o in world.list(resource)]


def delete(world: World, resource: str, key: str, **how: Any) -> None:
    write = deletion.removal(resource, world.objects[resource][key], world.now, **how)
    assert write is not None
    assert world.commit([write]) == []


def full_tree() -> World:
    world = garbage_world(deployments.ROLE, replicaset.role(30))
    world.put("deployments.apps", deployment())
    world.settle()
    for number, name in enumerate(left(world, "pods")):
        world.edit("pods", f"default/{name}", lambda p: p["spec"].update(nodeName="n"))
        world.make_ready(f"default/{name}", f"10.244.0.{number + 1}")
    world.settle()
    return world


def end_pods(world: World) -> None:
    for one in world.list("pods"):
        if one["metadata"].get("deletionTimestamp"):
            world.remove("pods", f"default/{one['metadata']['name']}")
    world.settle()


def test_deleting_a_deployment_takes_all_it_made() -> None:
    world = full_tree()
    delete(world, "deployments.apps", "default/web")
    world.settle()
    assert world.list("replicasets.apps") == []
    assert len(world.list("pods")) == 3
    assert all(p["metadata"].get("deletionTimestamp") for p in world.list("pods"))
    end_pods(world)
    assert world.list("pods") == []


def test_deleted_in_the_foreground_the_owner_goes_last() -> None:
    world = full_tree()
    delete(world, "deployments.apps", "default/web", propagation="Foreground")
    world.settle()
    assert len(world.list("deployments.apps")) == len(world.list("replicasets.apps")) == 1
    assert all(p["metadata"].get("deletionTimestamp") for p in world.list("pods"))
    end_pods(world)
    assert world.list("pods") == world.list("replicasets.apps") == world.list("deployments.apps") == []


def test_orphaned_dependents_stay_and_belong_to_nobody() -> None:
    world = full_tree()
    delete(world, "deployments.apps", "default/web", propagation="Orphan")
    world.settle()
    assert world.list("deployments.apps") == []
    (rs,) = world.list("replicasets.apps")
    assert "ownerReferences" not in rs["metadata"]
    assert len([p for p in world.list("pods") if not p["metadata"].get("deletionTimestamp")]) == 3


def test_an_object_with_another_owner_only_forgets_the_one_that_went() -> None:
    world = garbage_world()
    first, second = world.put("configmaps", config("first")), world.put("configmaps", config("second"))
    world.put("configmaps", config("child", first, second))
    delete(world, "configmaps", "default/first")
    world.settle()
    child = world.get("configmaps", "default/child")
    assert child is not None
    assert [r["name"] for r in child["metadata"]["ownerReferences"]] == ["second"]
    delete(world, "configmaps", "default/second")
    world.settle()
    assert left(world) == []


def test_an_object_made_for_an_owner_that_is_gone_goes() -> None:
    world = garbage_world()
    ghost = {"apiVersion": "v1", "kind": "ConfigMap", **config("ghost", uid="no-such-uid")}
    world.put("configmaps", config("child", ghost))
    world.settle()
    assert left(world) == []


def test_an_owner_of_the_same_name_is_another() -> None:
    world = garbage_world()
    owner = world.put("configmaps", config("owner"))
    delete(world, "configmaps", "default/owner")
    world.put("configmaps", config("owner"))
    world.put("configmaps", config("child", owner))
    world.settle()
    assert left(world) == ["owner"]


def test_an_owner_of_an_unknown_kind_is_taken_on_trust() -> None:
    world = garbage_world()
    stranger = {"apiVersion": "x.dev/v1", "kind": "Widget", **config("w", uid="widget-uid")}
    world.put("configmaps", config("child", stranger))
    world.settle()
    assert left(world) == ["child"]


def test_a_status_change_of_a_pod_makes_no_work() -> None:
    world = garbage_world()
    rs = world.put("replicasets.apps", replica_set())
    body = pod("a")
    body["metadata"]["ownerReferences"] = [controller_reference(rs)]
    world.put("pods", body)
    world.make_ready("default/a")
    assert world.queue == {}


def test_resync_finds_what_no_change_told_of() -> None:
    world = garbage_world()
    owner = world.put("configmaps", config("owner"))
    world.put("configmaps", config("child", owner))
    del world.objects["configmaps"]["default/owner"]
    world.revision += 1
    assert world.queue == {}
    role = world.roles["garbage-collector"]
    assert role.keys(world) == [f"absent/{owner['metadata']['uid']}"]
    for key in role.keys(world):
        world.run(role, key)
    assert left(world) == []


def test_a_dependent_with_a_finalizer_holds_up_a_foreground_owner() -> None:
    world = garbage_world()
    owner = world.put("configmaps", config("owner"))
    world.put("configmaps", config("child", owner, finalizers=["x.dev/hold"]))
    delete(world, "configmaps", "default/owner", propagation="Foreground")
    world.settle()
    assert left(world) == ["child", "owner"]
    world.edit("configmaps", "default/child", lambda c: c["metadata"].update(finalizers=[]))
    world.settle()
    assert left(world) == []


@settings(max_examples=60, deadline=None)
@given(
    owners=st.lists(st.lists(st.integers(0, 14), max_size=3), min_size=1, max_size=15),
    removed=st.lists(
        st.tuples(st.integers(0, 14), st.sampled_from(["Background", "Foreground"])), max_size=4
    ),
)
def test_exactly_what_lost_all_its_owners_goes(
    owners: list[list[int]], removed: list[tuple[int, Any]]
) -> None:
    """Each object is owned by some made before it. What must go: what is removed, and what has owners
    all of which must go. Foreground and background differ in the order alone."""
    world = garbage_world()
    made: list[Object] = []
    parents: list[set[int]] = []
    for number, wanted in enumerate(owners):
        above = {w for w in wanted if w < number}
        parents.append(above)
        made.append(world.put("configmaps", config(f"c{number:02}", *(made[a] for a in sorted(above)))))
    gone: set[int] = set()
    for number, how in removed:
        key = f"default/c{number:02}"
        if number < len(made) and world.get("configmaps", key) is not None:
            delete(world, "configmaps", key, propagation=how)
            world.settle()
            gone.add(number)
            for child, above in enumerate(parents):
                if above and above <= gone:
                    gone.add(child)
    assert left(world) == [f"c{n:02}" for n in range(len(made)) if n not in gone]
    assert all("deletionTimestamp" not in c["metadata"] for c in world.list("configmaps"))


def test_a_pod_already_ending_is_not_deleted_twice() -> None:
    world = garbage_world()
    rs = world.put("replicasets.apps", replica_set())
    body = pod("a", "n")
    body["metadata"]["ownerReferences"] = [controller_reference(rs)]
    world.put("pods", body)
    world.edit(
        "pods",
        "default/a",
        lambda p: p["metadata"].update(deletionTimestamp=rfc3339(START), deletionGracePeriodSeconds=30),
    )
    before = world.get("pods", "default/a")
    delete(world, "replicasets.apps", "default/web")
    world.settle()
    assert world.get("pods", "default/a") is before
