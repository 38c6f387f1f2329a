"""What agents are told of claims and volumes, and what they may say of them."""

from __future__ import annotations

from typing import Any

import pytest

from app.objects.persistent import FINALIZER, HOLDER, LOCAL, PROVISIONED_BY
from tests.registry.test_exchange import say

CLAIM, VOLUME = "persistentvolumeclaims default/data", "persistentvolumes v"
SIZE = {
    "resources": {"requests": {"storage": "1Gi"}},
    "accessModes": ["ReadWriteOnce"],
    "storageClassName": "",
}
MASTERS = ("system:masters",)


def volume(name: str = "v", **meta: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, **meta},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Delete",
            "hostPath": {"path": f"/data/{name}"},
        },
    }


@pytest.fixture
def node(world: Any, make: Any) -> Any:
    for name in ("n1", "n2"):
        say(world, name, node=make.node(name))
    return world


def mounting(make: Any, name: str, on: str) -> dict[str, Any]:
    pod: dict[str, Any] = make.pod(name, nodeName=on)
    pod["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    return pod


def bind(world: Any) -> None:
    """As the binder does, in its own way."""
    found = world.must("persistentvolumes", "v")
    claim = world.must("persistentvolumeclaims", "default/data")
    ref = {
        "kind": "PersistentVolumeClaim",
        "namespace": "default",
        "name": "data",
        "uid": claim["metadata"]["uid"],
    }
    world.put("persistentvolumes", {**found, "spec": {**found["spec"], "claimRef": ref}})
    world.put("persistentvolumeclaims", {**claim, "spec": {**claim["spec"], "volumeName": "v"}})


def test_with_a_pod_come_its_claim_and_the_claims_volume(node: Any, make: Any) -> None:
    node.create("persistentvolumes", volume())
    node.create("persistentvolumeclaims", {"metadata": {"name": "data"}, "spec": SIZE})
    node.create("pods", mounting(make, "p", "n1"), groups=MASTERS)
    first = say(node)
    assert set(first["objects"]) == {CLAIM}
    bind(node)
    known = {"since": first["revision"], "epoch": first["epoch"]}
    news = say(node, mount=[CLAIM.split()], **known)
    assert news["objects"][CLAIM]["spec"]["volumeName"] == "v"
    assert news["objects"][VOLUME]["spec"]["claimRef"]["name"] == "data"
    assert set(say(node)["objects"]) == {CLAIM, VOLUME}


def test_another_node_is_told_neither(node: Any, make: Any) -> None:
    node.create("persistentvolumes", volume())
    node.create("persistentvolumeclaims", {"metadata": {"name": "data"}, "spec": SIZE})
    node.create("pods", mounting(make, "p", "n1"), groups=MASTERS)
    first = say(node, "n2")
    bind(node)
    known = {"since": first["revision"], "epoch": first["epoch"]}
    news = say(node, "n2", mount=[CLAIM.split(), VOLUME.split()], **known)
    assert news["objects"] == {}
    assert first["objects"] == {}


@pytest.fixture
def left(node: Any) -> dict[str, Any]:
    """A volume of n1 that is nobody's any more and marked for deletion."""
    noted = {PROVISIONED_BY: LOCAL, HOLDER: "n1"}
    node.create("persistentvolumes", volume(annotations=noted, finalizers=[FINALIZER]))
    made = node.must("persistentvolumes", "v")
    node.put("persistentvolumes", {**made, "status": {"phase": "Released"}}, "status")
    node.delete("persistentvolumes", "v")
    found: dict[str, Any] = node.must("persistentvolumes", "v")
    return found


def names(answer: dict[str, Any]) -> list[str]:
    return [each["metadata"]["name"] for each in answer["empty"]]


def told(volume: dict[str, Any]) -> list[dict[str, str]]:
    return [{"name": volume["metadata"]["name"], "uid": volume["metadata"]["uid"]}]


def test_a_volume_to_be_emptied_is_told_to_its_node_and_goes_when_it_says_so(node: Any, left: Any) -> None:
    assert names(say(node)) == ["v"]
    assert names(say(node, "n2")) == []
    held = node.must("persistentvolumes", "v")["metadata"]["finalizers"]
    assert FINALIZER in held
    say(node, emptied=told(left))
    after = node.get("persistentvolumes", "v")
    # What protects volumes in use is let go by a controller.
    assert after is None or after["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
    assert names(say(node)) == []
    say(node, emptied=told(left))


def test_what_a_node_says_of_others_volumes_is_not_heard(node: Any, left: Any) -> None:
    say(node, "n2", emptied=told(left))
    say(node, emptied=[{"name": "v", "uid": "of another"}])
    say(node, emptied=[{"name": "there-is-none", "uid": "x"}])
    assert FINALIZER in node.must("persistentvolumes", "v")["metadata"]["finalizers"]


def test_a_volume_in_use_can_not_be_talked_away(node: Any) -> None:
    noted = {PROVISIONED_BY: LOCAL, HOLDER: "n1"}
    node.create("persistentvolumes", volume(annotations=noted, finalizers=[FINALIZER]))
    made = node.must("persistentvolumes", "v")
    assert names(say(node)) == []
    say(node, emptied=told(made))
    assert FINALIZER in node.must("persistentvolumes", "v")["metadata"]["finalizers"]
