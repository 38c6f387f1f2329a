"""Claims and volumes find each other, keep each other, and part."""

from __future__ import annotations

from typing import Any

import pytest

from app.objects.change import Object
from app.objects.persistent import FOLDER, is_to_be_emptied
from tests.controllers.volumes import CLASSES, claim, storage_class, volume
from tests.controllers.worlds import World, node
from workers.controllers import storage_protection
from workers.controllers.volumes import binder as volume_binder
from workers.controllers.volumes import phases as volume_phases
from workers.controllers.volumes import provisioner as volume_provisioner

CLAIMS, VOLUMES = "persistentvolumeclaims", "persistentvolumes"
ROLES = (
    volume_binder.ROLE,
    volume_phases.ROLE,
    volume_provisioner.ROLE,
    storage_protection.CLAIM_ROLE,
    storage_protection.VOLUME_ROLE,
)


@pytest.fixture
def world() -> World:
    return World(ROLES)


def holding(name: str) -> Object:
    body = node(name)
    body["metadata"]["annotations"] = {FOLDER: f"/state/volumes/{name}"}
    return body


def phase(world: World, resource: str, key: str) -> str:
    found = world.get(resource, key)
    return str(found["status"]["phase"]) if found else "gone"


def got(world: World, name: str) -> str:
    return str(world.objects[CLAIMS][f"default/{name}"]["spec"].get("volumeName") or "")


def reasons(world: World) -> list[str]:
    return [event.reason for event in world.events]


def test_the_smallest_volume_that_fits_is_taken(world: World) -> None:
    for name, size in (("large", "10Gi"), ("right", "2Gi"), ("small", "1Gi")):
        world.put(VOLUMES, volume(name, size=size))
    world.put(CLAIMS, claim("a", size="1500Mi"))
    world.settle()
    assert got(world, "a") == "right"
    bound = world.objects[CLAIMS]["default/a"]
    assert bound["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "2Gi"},
    }
    assert bound["metadata"]["annotations"] == {
        "pv.kubernetes.io/bind-completed": "yes",
        "pv.kubernetes.io/bound-by-controller": "yes",
    }
    assert phase(world, VOLUMES, "right") == "Bound"
    assert phase(world, VOLUMES, "small") == "Available"


@pytest.mark.parametrize(
    ("wanted", "offered"),
    [
        ({"modes": ("ReadWriteMany",)}, {}),
        ({"size": "2Gi"}, {}),
        ({"storage": "fast"}, {}),
        ({}, {"storage": "fast"}),
        ({"volumeMode": "Block"}, {}),
        ({"selector": {"matchLabels": {"a": "b"}}}, {}),
        ({"volumeAttributesClassName": "gold"}, {}),
    ],
)
def test_a_volume_that_does_not_fit_is_left_alone(
    world: World, wanted: dict[str, Any], offered: dict[str, Any]
) -> None:
    world.put(VOLUMES, volume("v", **offered))
    world.put(CLAIMS, claim("a", **wanted))
    world.settle()
    assert got(world, "a") == ""
    assert phase(world, VOLUMES, "v") == "Available"


def test_a_claim_without_class_and_volume_is_told_so(world: World) -> None:
    world.put(CLAIMS, claim("a"))
    world.settle()
    assert [(e.reason, e.message) for e in world.events] == [
        (
            "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set",
        )
    ]
    world.put(VOLUMES, volume("v"))
    world.settle()
    assert got(world, "a") == "v"


def test_a_claim_that_names_no_class_gets_a_default_class_that_comes_later(world: World) -> None:
    world.put(CLAIMS, claim("a", None))
    world.settle()
    made = storage_class("local")
    made["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    world.put(CLASSES, made)
    world.settle()
    assert world.objects[CLAIMS]["default/a"]["spec"]["storageClassName"] == "local"
    assert "WaitForFirstConsumer" in reasons(world)


def test_a_volume_reserved_by_name_is_for_that_claim_only(world: World) -> None:
    world.put(VOLUMES, volume("mine", claimRef={"namespace": "default", "name": "later"}))
    world.put(CLAIMS, claim("first"))
    world.settle()
    assert got(world, "first") == ""
    assert phase(world, VOLUMES, "mine") == "Available"
    world.put(CLAIMS, claim("later"))
    world.settle()
    assert got(world, "later") == "mine"


def test_a_claim_that_names_its_volume_gets_that_one_or_none(world: World) -> None:
    world.put(VOLUMES, volume("a-small", size="1Gi"))
    world.put(VOLUMES, volume("wanted", size="5Gi"))
    world.put(CLAIMS, claim("a", volumeName="wanted"))
    world.put(CLAIMS, claim("b", volumeName="wanted"))
    world.settle()
    holder = world.objects[VOLUMES]["wanted"]["spec"]["claimRef"]["name"]
    assert holder in ("a", "b")
    assert phase(world, CLAIMS, f"default/{holder}") == "Bound"
    other = "b" if holder == "a" else "a"
    assert phase(world, CLAIMS, f"default/{other}") == "Pending"
    assert "FailedBinding" in reasons(world)
    world.put(CLAIMS, claim("c", size="9Gi", volumeName="a-small"))
    world.settle()
    assert any(
        e.message == 'Cannot bind to requested volume "a-small": requested PV is too small'
        for e in world.events
    )


def test_a_claim_whose_volume_vanished_is_lost(world: World) -> None:
    world.put(VOLUMES, volume("v"))
    world.put(CLAIMS, claim("a"))
    world.settle()
    world.remove(VOLUMES, "v")
    world.settle()
    assert phase(world, CLAIMS, "default/a") == "Lost"
    assert "ClaimLost" in reasons(world)


def test_a_volume_that_is_retained_is_released_and_taken_by_nobody(world: World) -> None:
    world.put(VOLUMES, volume("v"))
    world.put(CLAIMS, claim("a"))
    world.settle()
    world.remove(CLAIMS, "default/a")
    world.put(CLAIMS, claim("b"))
    world.settle()
    assert phase(world, VOLUMES, "v") == "Released"
    assert got(world, "b") == ""


def test_a_volume_that_nobody_here_can_delete_fails_and_says_so(world: World) -> None:
    world.put(VOLUMES, volume("v", policy="Delete"))
    world.put(VOLUMES, volume("w", policy="Recycle"))
    for name in "ab":
        world.put(CLAIMS, claim(name))
    world.settle()
    for name in "ab":
        world.remove(CLAIMS, f"default/{name}")
    world.settle()
    assert {phase(world, VOLUMES, name) for name in "vw"} == {"Failed"}
    assert {"VolumeFailedDelete", "VolumeFailedRecycle"} <= set(reasons(world))


def provisioned(world: World, **more: Any) -> Object:
    """A claim of a class that does not wait, and the volume made for it."""
    world.put("nodes", holding("n1"))
    world.put(CLASSES, storage_class("local", volumeBindingMode="Immediate", **more))
    world.put(CLAIMS, claim("a", "local"))
    world.settle()
    return world.objects[VOLUMES][got(world, "a")]


def test_a_volume_is_made_for_a_claim_and_goes_with_it_once_it_is_empty(world: World) -> None:
    made = provisioned(world)
    assert made["spec"]["local"]["path"].startswith("/state/volumes/n1/pvc-")
    assert made["spec"]["claimRef"]["name"] == "a"
    assert {"Provisioning", "ProvisioningSucceeded"} <= set(reasons(world))
    world.remove(CLAIMS, "default/a")
    world.settle()
    (left,) = world.list(VOLUMES)
    assert is_to_be_emptied(left, "n1")
    assert not is_to_be_emptied(left, "n2")
    world.edit(VOLUMES, left["metadata"]["name"], lambda v: v["metadata"].update(finalizers=None))
    world.settle()
    assert not world.list(VOLUMES)


def test_a_volume_of_a_node_that_is_gone_for_good_goes_too(world: World) -> None:
    provisioned(world)
    world.remove(CLAIMS, "default/a")
    world.settle()
    world.remove("nodes", "n1")
    world.settle()
    assert not world.list(VOLUMES)


def test_a_volume_to_be_retained_keeps_its_data_when_it_is_deleted(world: World) -> None:
    made = provisioned(world, reclaimPolicy="Retain")
    name = made["metadata"]["name"]
    world.remove(CLAIMS, "default/a")
    world.settle()
    assert phase(world, VOLUMES, name) == "Released"
    world.edit(VOLUMES, name, lambda v: v["metadata"].update(deletionTimestamp="2026-01-01T00:00:00Z"))
    assert not is_to_be_emptied(world.objects[VOLUMES][name], "n1")
    world.settle()
    assert phase(world, VOLUMES, name) == "gone"


def test_a_volume_grows_where_its_class_lets_it(world: World) -> None:
    made = provisioned(world, allowVolumeExpansion=True)

    def more(found: Object) -> None:
        found["spec"]["resources"]["requests"]["storage"] = "3Gi"

    world.edit(CLAIMS, "default/a", more)
    world.settle()
    assert world.objects[VOLUMES][made["metadata"]["name"]]["spec"]["capacity"] == {"storage": "3Gi"}
    assert world.objects[CLAIMS]["default/a"]["status"]["capacity"] == {"storage": "3Gi"}


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"modes": ("ReadWriteMany",)}, "can't be ReadWriteMany"),
        ({"volumeMode": "Block"}, "volumeMode Block is not supported"),
        ({"selector": {"matchLabels": {"a": "b"}}}, "claim Selector is not supported"),
    ],
)
def test_what_no_folder_can_be_is_refused(world: World, wanted: dict[str, Any], words: str) -> None:
    world.put("nodes", holding("n1"))
    world.put(CLASSES, storage_class("local", volumeBindingMode="Immediate"))
    world.put(CLAIMS, claim("a", "local", **wanted))
    world.settle()
    assert not world.list(VOLUMES)
    assert any(e.reason == "ProvisioningFailed" and words in e.message for e in world.events)


def test_a_class_of_the_engine_says_how_its_volumes_are_mounted(world: World) -> None:
    world.put("nodes", holding("n1"))
    opts = "type=nfs\no=addr=10.0.0.9,rw\ndevice=:/exports/${namespace}/${pvc}"
    made = storage_class(
        "share", provisioner="docker.beanpole.dev", volumeBindingMode="Immediate", parameters={"opts": opts}
    )
    world.put(CLASSES, made)
    world.put(CLAIMS, claim("a", "share", modes=("ReadWriteMany",)))
    world.settle()
    found = world.objects[VOLUMES][got(world, "a")]
    assert found["spec"]["csi"]["volumeAttributes"] == {
        "driver": "local",
        "opt.type": "nfs",
        "opt.o": "addr=10.0.0.9,rw",
        "opt.device": ":/exports/default/a",
    }
    assert "nodeAffinity" not in found["spec"]


def test_an_unknown_provisioner_is_waited_for(world: World) -> None:
    world.put(CLASSES, storage_class("far", provisioner="example.com/far", volumeBindingMode="Immediate"))
    world.put(CLAIMS, claim("a", "far"))
    world.settle()
    noted = world.objects[CLAIMS]["default/a"]["metadata"]["annotations"]
    assert noted["volume.kubernetes.io/storage-provisioner"] == "example.com/far"
    assert "ExternalProvisioning" in reasons(world)
