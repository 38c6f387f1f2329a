"""What a node's credential reaches: itself, its pods, and what these draw on."""

from __future__ import annotations

import pytest

from app.base.errors import Forbidden, Invalid
from app.objects import field_selectors
from app.objects.pods import MIRROR
from app.registry.access.attributes import Asked, Subject
from app.registry.access.drawn import drawn_on
from app.registry.access.node_limits import refused_labels

N1 = Subject("system:node:n1", ("system:nodes", "system:authenticated"))
N2 = Subject("system:node:n2", ("system:nodes", "system:authenticated"))
AGENT = Subject("system:node-agent", ("system:nodes",))
MASTERS = ("system:masters",)

DISK = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
SPEC = {
    "serviceAccountName": "runner",
    "imagePullSecrets": [{"name": "pull"}],
    "volumes": [
        {"name": "a", "configMap": {"name": "settings"}},
        {"name": "b", "secret": {"secretName": "login"}},
        {"name": "c", "projected": {"sources": [{"secret": {"name": "part"}}]}},
        {"name": "d", "persistentVolumeClaim": {"claimName": "disk"}},
        {"name": "e", "ephemeral": {"volumeClaimTemplate": {"spec": DISK}}},
        {"name": "f", "csi": {"driver": "x", "nodePublishSecretRef": {"name": "driver"}}},
    ],
    "containers": [
        {
            "name": "web",
            "image": "web:1",
            "envFrom": [{"configMapRef": {"name": "env"}}],
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "key", "key": "a"}}}],
        }
    ],
}


@pytest.fixture
def pods(world, make):
    """A pod that draws on much, on n1; one that draws on little, on n2."""
    for name in ("n1", "n2"):
        world.create("nodes", make.node(name))
    world.create("serviceaccounts", {"metadata": {"name": "runner"}})
    world.create("pods", {"metadata": {"name": "p1"}, "spec": {**SPEC, "nodeName": "n1"}}, groups=MASTERS)
    world.create("pods", make.pod("p2", nodeName="n2"), groups=MASTERS)


@pytest.fixture
def may(world):
    def ask(subject, verb, resource, name="", namespace="default", below="", group="", fields=""):
        chosen = field_selectors.parse_any(fields)
        asked = Asked(verb, group, resource, below, namespace, name, chosen)
        return world.registry.access.decide(subject, asked).allowed

    return ask


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("configmaps", "settings"),
        ("configmaps", "env"),
        ("secrets", "login"),
        ("secrets", "part"),
        ("secrets", "key"),
        ("secrets", "pull"),
        ("secrets", "driver"),
        ("persistentvolumeclaims", "disk"),
        ("persistentvolumeclaims", "p1-e"),
        ("serviceaccounts", "runner"),
    ],
)
def test_a_node_reads_what_its_pods_draw_on_and_no_other_node_does(pods, may, resource, name):
    assert may(N1, "get", resource, name)
    assert not may(N2, "get", resource, name)
    assert may(AGENT, "get", resource, name)
    assert not may(N1, "get", resource, name, namespace="kube-system")
    assert not may(N1, "list", resource)
    for verb in ("create", "update", "patch", "delete"):
        assert not may(N1, verb, resource, name)


def test_what_a_pod_drew_on_is_out_of_reach_when_the_pod_is_gone(world, pods, may):
    assert may(N1, "get", "secrets", "login")
    world.delete("pods", "p1", grace=0)
    assert not may(N1, "get", "secrets", "login")
    assert not may(N1, "get", "pods", "p1")


def test_a_volume_and_its_secrets_are_reached_through_the_claim_bound_to_it(world, pods, may):
    claim = {
        "metadata": {"name": "disk"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "volumeName": "pv1",
        },
    }
    volume = {
        "metadata": {"name": "pv1"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "claimRef": {"namespace": "default", "name": "disk"},
            "csi": {
                "driver": "x",
                "volumeHandle": "h",
                "nodeStageSecretRef": {"name": "stage", "namespace": "storage"},
            },
        },
    }
    world.create("persistentvolumeclaims", claim)
    world.create("persistentvolumes", volume)
    assert may(N1, "get", "persistentvolumes", "pv1", namespace="")
    assert may(N1, "get", "secrets", "stage", namespace="storage")
    assert not may(N2, "get", "persistentvolumes", "pv1", namespace="")
    assert not may(N2, "get", "secrets", "stage", namespace="storage")


def test_a_node_has_its_own_pods_only(pods, may):
    assert may(N1, "get", "pods", "p1")
    assert not may(N1, "get", "pods", "p2")
    assert may(N1, "list", "pods", namespace="", fields="spec.nodeName=n1")
    assert not may(N1, "watch", "pods", namespace="", fields="spec.nodeName=n2")
    assert not may(N1, "list", "pods", namespace="", fields="spec.nodeName!=n1")
    assert not may(N1, "list", "pods", namespace="")
    for verb, below in (("update", "status"), ("patch", "status"), ("create", "eviction"), ("delete", "")):
        assert may(N1, verb, "pods", "p1", below=below)
        assert not may(N1, verb, "pods", "p2", below=below)
    assert not may(N1, "update", "pods", "p1")
    assert not may(N1, "deletecollection", "pods")
    assert not may(N1, "create", "pods", "p1", below="exec")


def test_a_node_makes_tokens_of_its_pods_accounts_only(pods, may):
    assert may(N1, "create", "serviceaccounts", "runner", below="token")
    assert not may(N1, "create", "serviceaccounts", "default", below="token")
    assert not may(N2, "create", "serviceaccounts", "runner", below="token")


def test_a_node_has_its_own_node_and_lease_only(pods, may):
    assert may(N1, "get", "nodes", "n1", namespace="")
    assert may(N1, "patch", "nodes", "n1", namespace="", below="status")
    assert not may(N1, "get", "nodes", "n2", namespace="")
    assert not may(N1, "list", "nodes", namespace="")
    assert may(N1, "list", "nodes", "n1", namespace="")
    assert not may(N1, "patch", "nodes", "n2", namespace="")
    assert not may(N1, "delete", "nodes", "n1", namespace="")
    lease = {"group": "coordination.k8s.io", "namespace": "kube-node-lease"}
    assert may(N1, "update", "leases", "n1", **lease)
    assert not may(N1, "update", "leases", "n2", **lease)
    assert not may(N1, "update", "leases", "n1", group="coordination.k8s.io")
    assert may(N1, "get", "csinodes", "n1", namespace="", group="storage.k8s.io")
    assert not may(N1, "get", "csinodes", "n2", namespace="", group="storage.k8s.io")


def test_only_a_name_and_a_group_together_make_a_node(pods, may):
    assert not may(Subject("system:node:n1"), "get", "pods", "p1")
    assert not may(Subject("n1", ("system:nodes",)), "get", "pods", "p1")
    assert not may(Subject("system:node:", ("system:nodes",)), "get", "secrets", "login")


def test_a_mirror_pod_opens_nothing_to_the_node_that_made_it_up():
    pod = {"metadata": {"name": "m", "namespace": "default", "annotations": {MIRROR: "x"}}, "spec": SPEC}
    assert drawn_on(pod) == set()


# -- what a node may write of what it may write ---------------------------------------------------------


@pytest.fixture
def as_node(world, monkeypatch):
    """Requests of the world are those of node n1, if they are in its groups."""
    from tests.registry import conftest

    plain = conftest.World.request

    def request(self, **more):
        made = plain(self, **more)
        made.user = N1.name if made.groups == N1.groups else made.user
        return made

    monkeypatch.setattr(conftest.World, "request", request)
    return {"groups": N1.groups}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"metadata": {"labels": {"node-restriction.kubernetes.io/zone": "a"}}},
            "modify labels: node-restriction",
        ),
        ({"metadata": {"labels": {"x.node-restriction.kubernetes.io/zone": "a"}}}, "modify labels"),
        ({"metadata": {"labels": {"node-role.kubernetes.io/master": ""}}}, "modify labels"),
        ({"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}, "modify taints"),
    ],
)
def test_a_node_can_not_give_itself_labels_that_steer_pods_or_taints(world, pods, as_node, change, why):
    with pytest.raises(Forbidden, match=why):
        world.patch("nodes", "n1", change, **as_node)


def test_a_node_labels_itself_otherwise(world, pods, as_node):
    labels = {
        "example.com/a": "b",
        "topology.kubernetes.io/zone": "z",
        "node.kubernetes.io/instance-type": "s",
    }
    patched = world.patch("nodes", "n1", {"metadata": {"labels": labels}}, **as_node)
    assert labels.items() <= patched["metadata"]["labels"].items()


def test_a_node_can_not_touch_another_or_make_an_ordinary_pod(world, make, pods, as_node):
    with pytest.raises(Forbidden, match='node "n1" is not allowed to modify node "n2"'):
        world.patch("nodes", "n2", {"metadata": {"labels": {"a": "b"}}}, **as_node)
    with pytest.raises(Forbidden, match="can only create mirror pods"):
        world.create("pods", make.pod("mine", nodeName="n1"), **as_node)
    mirror = make.pod("mine", nodeName="n2")
    mirror["metadata"]["annotations"] = {MIRROR: "x"}
    with pytest.raises(Forbidden, match="spec.nodeName set to itself"):
        world.create("pods", mirror, **as_node)


def test_only_labels_that_differ_count():
    old = {"metadata": {"labels": {"node-role.kubernetes.io/master": "", "a": "b"}}}
    assert (
        refused_labels(old, {"metadata": {"labels": {"node-role.kubernetes.io/master": "", "a": "c"}}}) == []
    )
    assert refused_labels(old, {"metadata": {}}) == ["node-role.kubernetes.io/master"]
    assert refused_labels(None, old) == ["node-role.kubernetes.io/master"]


# -- the exchange --------------------------------------------------------------------------------------


def told(world, **report):
    said = {"network": {}, "nodes": {"n1": {"since": 0, "epoch": 0, **report}}}
    return world.registry.exchange(said)["nodes"]["n1"]


def test_an_agent_is_told_only_of_what_its_pods_draw_on(world, pods):
    for name in ("login", "other"):
        world.create("secrets", {"metadata": {"name": name}, "data": {"a": "YQ=="}})
    answer = told(world, mount=[["secrets", "default/login"], ["secrets", "default/other"]])
    assert answer["objects"]["secrets default/login"]["data"] == {"a": "YQ=="}
    assert "secrets default/other" not in answer["objects"]


def test_an_agent_can_not_steer_pods_to_its_node_by_labels(world, make, pods):
    node = make.node("n1", labels={"node-restriction.kubernetes.io/zone": "safe"})
    answer = told(world, node=node)
    assert answer["error"]["reason"] == "Forbidden"
    assert "labels" not in world.must("nodes", "n1")["metadata"]


# -- mirror pods ---------------------------------------------------------------------------------------


def of_file(make, node_uid, name="web-n1"):
    pod = make.pod(name, nodeName="n1")
    pod["metadata"]["annotations"] = {MIRROR: "hash", "kubernetes.io/config.hash": "hash"}
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": node_uid, "controller": True}
    pod["metadata"]["ownerReferences"] = [owner]
    return pod


def test_a_node_makes_and_deletes_what_stands_for_its_static_pods(world, make, pods, as_node):
    made = of_file(make, world.must("nodes", "n1")["metadata"]["uid"])
    world.create("pods", made, **as_node)
    answer = told(world)
    assert "web-n1" in [pod["metadata"]["name"] for pod in answer["pods"]]


def test_what_marks_a_mirror_is_neither_added_nor_changed(world, make, pods):
    plain = make.pod("plain", nodeName="n1")
    world.create("pods", plain)
    with pytest.raises(Invalid, match="may not add mirror pod annotation"):
        world.patch("pods", "plain", {"metadata": {"annotations": {MIRROR: "x"}}})
    world.create("pods", of_file(make, world.must("nodes", "n1")["metadata"]["uid"]))
    with pytest.raises(Invalid, match="may not remove or update mirror pod annotation"):
        world.patch("pods", "web-n1", {"metadata": {"annotations": {MIRROR: None}}})
    homeless = of_file(make, "uid", "homeless")
    del homeless["spec"]["nodeName"]
    with pytest.raises(Invalid, match=r"must set spec\.nodeName if mirror pod annotation is set"):
        world.create("pods", homeless)


def test_an_agent_is_told_of_its_node_when_others_changed_it(world, make, pods):
    first = told(world)
    assert first["node"]["uid"] == world.must("nodes", "n1")["metadata"]["uid"]
    since = world.registry.view.revision
    assert "node" not in told(world, since=since, epoch=world.registry.view.epoch)
    world.patch("nodes", "n1", {"metadata": {"labels": {"disk": "ssd"}}})
    later = told(world, since=since, epoch=world.registry.view.epoch)
    assert later["node"]["labels"]["disk"] == "ssd"


def test_a_node_registers_with_taints_that_are_others_to_change_later(world, make):
    node = make.node("n3")
    node["spec"] = {"taints": [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}]}
    world.registry.exchange({"network": {}, "nodes": {"n3": {"node": node}}})
    assert world.must("nodes", "n3")["spec"]["taints"][0]["key"] == "dedicated"
    world.patch("nodes", "n3", {"spec": {"taints": None}})
    world.registry.exchange({"network": {}, "nodes": {"n3": {"node": node}}})
    assert "taints" not in world.must("nodes", "n3")["spec"]
