"""Where pods go that mount claims, and how their claims come to be bound."""

from __future__ import annotations

from typing import Any

import pytest

from app.objects import conditions
from app.objects.change import Object
from app.objects.persistent import FOLDER
from tests.controllers.volumes import CLASSES, claim, mounting, storage_class, volume
from tests.controllers.worlds import World, node
from workers.controllers import ephemeral_claims
from workers.controllers.volumes import binder as volume_binder
from workers.controllers.volumes import phases as volume_phases
from workers.controllers.volumes import provisioner as volume_provisioner
from workers.scheduler import scheduler

HOST = "kubernetes.io/hostname"


@pytest.fixture
def world() -> World:
    found = World(
        [
            scheduler.ROLE,
            volume_binder.ROLE,
            volume_phases.ROLE,
            volume_provisioner.ROLE,
            ephemeral_claims.ROLE,
        ]
    )
    for name in ("n1", "n2", "n3"):
        found.put("nodes", holding(name))
    found.put(CLASSES, storage_class("local"))
    found.put(CLASSES, storage_class("disks", provisioner="kubernetes.io/no-provisioner"))
    found.put(CLASSES, storage_class("now", volumeBindingMode="Immediate", provisioner="example.com/far"))
    return found


def holding(name: str, **more: Any) -> Object:
    body = node(name, **more)
    body["metadata"]["labels"][HOST] = name
    body["metadata"]["annotations"] = {FOLDER: f"/state/volumes/{name}"}
    return body


def where(world: World, name: str) -> str:
    found = world.get("pods", f"default/{name}")
    assert found is not None
    return str(found["spec"].get("nodeName") or "")


def refusal(world: World, name: str) -> str:
    condition = conditions.get(world.get("pods", f"default/{name}") or {}, "PodScheduled")
    assert condition is not None
    assert condition["status"] == "False"
    return str(condition["message"])


def on(name: str) -> Object:
    return {"nodeSelector": {HOST: name}}


def test_a_volume_is_made_on_the_node_that_the_first_pod_gets(world: World) -> None:
    world.put("persistentvolumeclaims", claim("data", "local"))
    world.settle()
    assert not world.list("persistentvolumes")
    world.put("pods", mounting("a", "data", **on("n2")))
    world.settle()
    assert where(world, "a") == "n2"
    (made,) = world.list("persistentvolumes")
    assert made["spec"]["local"]["path"] == f"/state/volumes/n2/{made['metadata']['name']}"
    assert made["status"]["phase"] == "Bound"
    found = world.get("persistentvolumeclaims", "default/data")
    assert found is not None
    assert found["status"]["phase"] == "Bound"


def test_the_next_pod_of_the_claim_goes_where_the_volume_is(world: World) -> None:
    world.put("persistentvolumeclaims", claim("data", "local"))
    world.put("pods", mounting("a", "data", **on("n3")))
    world.settle()
    world.remove("pods", "default/a")
    world.put("pods", mounting("b", "data"))
    world.put("pods", mounting("c", "data", **on("n1")))
    world.settle()
    assert where(world, "b") == "n3"
    assert refusal(world, "c") == (
        "0/3 nodes are available: 1 node(s) had volume node affinity conflict, "
        "2 node(s) didn't match Pod's node affinity/selector."
    )


def test_pods_of_one_claim_that_come_together_land_on_one_node(world: World) -> None:
    world.put("persistentvolumeclaims", claim("data", "local"))
    world.put("pods", mounting("a", "data"))
    world.put("pods", mounting("b", "data", labels={"other": "labels"}))
    world.settle()
    assert where(world, "a")
    assert where(world, "a") == where(world, "b")
    assert len(world.list("persistentvolumes")) == 1


def test_a_free_disk_that_is_in_reach_is_taken(world: World) -> None:
    for name in ("n1", "n2"):
        world.put("persistentvolumes", volume(f"disk-{name}", "disks", node=name))
    world.put("persistentvolumeclaims", claim("one", "disks"))
    world.put("pods", mounting("a", "one", **on("n2")))
    world.settle()
    assert where(world, "a") == "n2"
    assert world.objects["persistentvolumeclaims"]["default/one"]["spec"]["volumeName"] == "disk-n2"
    world.put("persistentvolumeclaims", claim("two", "disks"))
    world.put("pods", mounting("b", "two", **on("n3")))
    world.settle()
    assert "1 node(s) didn't find available persistent volumes to bind" in refusal(world, "b")


def test_two_claims_of_one_pod_get_two_volumes_of_one_node(world: World) -> None:
    world.put("persistentvolumes", volume("x1", "disks", node="n1"))
    for name in ("y1", "y2"):
        world.put("persistentvolumes", volume(name, "disks", node="n2"))
    for name in ("one", "two"):
        world.put("persistentvolumeclaims", claim(name, "disks"))
    world.put("pods", mounting("a", "one", "two"))
    world.settle()
    assert where(world, "a") == "n2"
    got = {c["spec"]["volumeName"] for c in world.list("persistentvolumeclaims")}
    assert got == {"y1", "y2"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, 'persistentvolumeclaim "data" not found'),
        (claim("data", "now"), "pod has unbound immediate PersistentVolumeClaims"),
    ],
)
def test_a_pod_waits_for_its_claim_and_says_so(world: World, given: Object | None, words: str) -> None:
    if given is not None:
        world.put("persistentvolumeclaims", given)
    world.put("pods", mounting("a", "data"))
    world.settle()
    assert refusal(world, "a") == f"0/3 nodes are available: {words}."


def test_a_claim_that_is_on_its_way_out_takes_no_new_pod(world: World) -> None:
    world.put("persistentvolumeclaims", claim("data", "local"))
    world.edit(
        "persistentvolumeclaims",
        "default/data",
        lambda c: c["metadata"].update(
            deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["kubernetes.io/pvc-protection"]
        ),
    )
    world.put("pods", mounting("a", "data"))
    world.settle()
    assert refusal(world, "a") == '0/3 nodes are available: persistentvolumeclaim "data" is being deleted.'


def test_a_claim_for_one_pod_is_had_by_one_pod(world: World) -> None:
    world.put("persistentvolumeclaims", claim("data", "local", modes=("ReadWriteOncePod",)))
    world.put("pods", mounting("a", "data"))
    world.settle()
    world.put("pods", mounting("b", "data"))
    world.settle()
    assert "ReadWriteOncePod access mode" in refusal(world, "b")
    world.remove("pods", "default/a")
    world.settle()
    assert where(world, "b")


def test_a_pod_that_waits_for_its_volume_keeps_its_room(world: World) -> None:
    for name in ("n2", "n3"):
        world.remove("nodes", name)
    world.put("nodes", holding("n1", cpu="1"))
    asked = [{"name": "main", "image": "x", "resources": {"requests": {"cpu": "800m"}}}]
    world.put("persistentvolumeclaims", claim("data", "local"))
    world.put("pods", mounting("a", "data", containers=asked))
    world.put("pods", mounting("b", containers=asked))
    world.settle()
    assert where(world, "a") == "n1"
    assert refusal(world, "b") == "0/1 nodes are available: 1 Insufficient cpu."


def test_another_node_is_chosen_when_the_chosen_one_goes(world: World) -> None:
    world.put("persistentvolumeclaims", claim("data", "local"))
    pod = mounting("a", "data")
    world.put("pods", pod)
    world.run("default-scheduler", "pending")
    chosen = world.objects["persistentvolumeclaims"]["default/data"]["metadata"]["annotations"][
        "volume.kubernetes.io/selected-node"
    ]
    world.remove("nodes", chosen)
    world.settle()
    assert where(world, "a") not in ("", chosen)


def test_an_ephemeral_volume_is_a_claim_of_the_pods_own(world: World) -> None:
    template = {"spec": claim("x", "local")["spec"]}
    volumes = [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}]
    pod = world.put("pods", mounting("a", volumes=volumes))
    world.settle()
    made = world.objects["persistentvolumeclaims"]["default/a-scratch"]
    assert made["metadata"]["ownerReferences"][0]["uid"] == pod["metadata"]["uid"]
    assert made["status"]["phase"] == "Bound"
    assert where(world, "a")
