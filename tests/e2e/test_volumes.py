"""Data that outlives pods, as users keep it: real kubectl, both runtimes."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.waiting import until

pytestmark = [pytest.mark.timeout(240)]

EXAMPLE = str(ROOT / "examples/stateful.yaml")


def lines(cluster: Cluster, space: str, pod: str = "notes-0") -> list[str]:
    return cluster.try_kubectl("-n", space, "logs", pod).stdout.splitlines()


def claims(cluster: Cluster, space: str) -> dict[str, Any]:
    return {claim["metadata"]["name"]: claim for claim in cluster.items("-n", space, "pvc")}


def folder(cluster: Cluster, claim: dict[str, Any]) -> Path:
    volume = cluster.get("pv", claim["spec"]["volumeName"])
    return Path(volume["spec"]["local"]["path"])


def test_a_stateful_sets_data_outlives_pods_and_agents_and_goes_with_its_claims(cluster: Cluster) -> None:
    space = cluster.namespace("notes")
    cluster.kubectl("-n", space, "apply", "-f", EXAMPLE)
    cluster.kubectl("-n", space, "rollout", "status", "statefulset/notes", "--timeout=60s")
    node = cluster.get("-n", space, "pod", "notes-0")["spec"]["nodeName"]
    until(lambda: lines(cluster, space) == [f"notes-0 started on {node}"], 30, cluster.output)
    bound = claims(cluster, space)
    assert {name: claim["status"]["phase"] for name, claim in bound.items()} == {
        "data-notes-0": "Bound",
        "data-notes-1": "Bound",
    }
    held = folder(cluster, bound["data-notes-0"])
    assert held.is_relative_to(cluster.state)

    cluster.kubectl("-n", space, "delete", "pod", "notes-0")
    cluster.kubectl("-n", space, "rollout", "status", "statefulset/notes", "--timeout=60s")
    until(lambda: lines(cluster, space) == [f"notes-0 started on {node}"] * 2, 30, cluster.output)

    (agent,) = [pid for words, pid in cluster.programs().items() if "agent" in words]
    os.kill(agent, signal.SIGKILL)
    cluster.kubectl("-n", space, "delete", "pod", "notes-0")
    until(lambda: lines(cluster, space) == [f"notes-0 started on {node}"] * 3, 60, cluster.output)

    cluster.kubectl("-n", space, "delete", "statefulset", "notes")
    until(lambda: not cluster.items("-n", space, "pods"), 60, cluster.output)
    assert (held / "starts").read_text().count("\n") == 3
    cluster.kubectl("-n", space, "delete", "pvc", "--all")
    until(lambda: not cluster.items("pv"), 60, cluster.output)
    assert not held.exists()
    assert held.parent.is_dir()


def test_a_claim_that_a_pod_uses_stays_until_the_pod_is_gone(cluster: Cluster) -> None:
    space = cluster.namespace("protected")
    cluster.kubectl("-n", space, "apply", "-f", EXAMPLE)
    cluster.kubectl("-n", space, "rollout", "status", "statefulset/notes", "--timeout=60s")
    held = folder(cluster, claims(cluster, space)["data-notes-1"])
    cluster.kubectl("-n", space, "delete", "pvc", "data-notes-1", "--wait=false")
    assert "Terminating" in cluster.kubectl("-n", space, "get", "pvc", "data-notes-1")
    assert (held / "starts").exists()
    cluster.kubectl("-n", space, "scale", "statefulset/notes", "--replicas=1")
    until(lambda: set(claims(cluster, space)) == {"data-notes-0"}, 60, cluster.output)
    until(lambda: not held.exists(), 30, cluster.output)
    cluster.kubectl("delete", "namespace", space)
    until(lambda: not cluster.items("pv"), 60, cluster.output)


def test_a_claim_grows_where_its_class_lets_it(cluster: Cluster) -> None:
    space = cluster.namespace("growing")
    cluster.kubectl("-n", space, "apply", "-f", EXAMPLE)
    cluster.kubectl("-n", space, "rollout", "status", "statefulset/notes", "--timeout=60s")
    more = '{"spec":{"resources":{"requests":{"storage":"1Gi"}}}}'
    cluster.kubectl("-n", space, "patch", "pvc", "data-notes-0", "-p", more)
    until(
        lambda: claims(cluster, space)["data-notes-0"]["status"]["capacity"] == {"storage": "1Gi"},
        30,
        cluster.output,
    )
    cluster.kubectl("patch", "storageclass", "local", "-p", '{"allowVolumeExpansion":false}')
    refused = cluster.try_kubectl("-n", space, "patch", "pvc", "data-notes-1", "-p", more)
    cluster.kubectl("patch", "storageclass", "local", "-p", '{"allowVolumeExpansion":true}')
    assert "only dynamically provisioned pvc can be resized" in refused.stderr
    cluster.kubectl("delete", "namespace", space)


def mounted_below(cluster: Cluster) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if f" {cluster.state}/" in line]


SHOWING = """
cat /v/conf/a /v/one; ls /mem; stat -f -c %b:%S /mem
echo log >/e/out; echo kept >/mem/kept
while [ ! -e /mem/stop ]; do sleep 0.1; done
rm /mem/stop; exit 1
"""


def test_volumes_follow_objects_and_memory_outlives_containers_and_the_agent(cluster: Cluster) -> None:
    space = cluster.namespace("following")
    conf = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": space},
        "data": {"a": "1\n"},
    }
    label = {"path": "tier", "fieldRef": {"fieldPath": "metadata.labels['tier']"}}
    mounts = {"conf": "/v/conf", "later": "/v/later", "me": "/v/me", "mem": "/mem"}
    cluster.apply(
        conf,
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": space, "labels": {"tier": "1"}},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "volumes": [
                    {"name": "conf", "configMap": {"name": "c"}},
                    {"name": "later", "secret": {"secretName": "s", "optional": True}},
                    {"name": "me", "downwardAPI": {"items": [label]}},
                    {"name": "mem", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
                    {"name": "disk", "emptyDir": {}},
                ],
                "containers": [
                    {
                        "name": "main",
                        "image": "busybox:1.36",
                        "command": ["sh", "-c", SHOWING],
                        "env": [{"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                        "volumeMounts": [
                            *({"name": name, "mountPath": path} for name, path in mounts.items()),
                            {"name": "conf", "mountPath": "/v/one", "subPath": "a"},
                            {"name": "disk", "mountPath": "/e", "subPathExpr": "$(ME)/logs"},
                        ],
                    }
                ],
            },
        },
    )
    cluster.kubectl("-n", space, "wait", "--for=condition=Ready", "pod/p", "--timeout=60s")
    pod = cluster.get("-n", space, "pod", "p")
    assert [m["mountPath"] for m in pod["status"]["containerStatuses"][0]["volumeMounts"]][:2] == [
        "/v/conf",
        "/v/later",
    ]
    folder = cluster.state / "pods" / pod["spec"]["nodeName"] / pod["metadata"]["uid"] / "volumes"
    until(lambda: (folder / "disk/p/logs/out").exists(), 20, cluster.output)
    assert lines(cluster, space, "p") == ["1", "1", "256:4096"]

    def shown(path: str) -> str:
        return cluster.try_kubectl("-n", space, "exec", "p", "--", "cat", path).stdout.strip()

    cluster.apply({**conf, "data": {"a": "2\n"}})
    until(lambda: shown("/v/conf/a") == "2", 10, cluster.output)
    cluster.kubectl("-n", space, "label", "pod", "p", "tier=2", "--overwrite")
    until(lambda: shown("/v/me/tier") == "2", 10, cluster.output)
    cluster.kubectl("-n", space, "create", "secret", "generic", "s", "--from-literal=k=came")
    until(lambda: shown("/v/later/k") == "came", 10, cluster.output)
    assert shown("/v/one") == "1"

    (agent,) = [pid for words, pid in cluster.programs().items() if "agent" in words]
    os.kill(agent, signal.SIGKILL)
    (folder / "mem/stop").touch()
    until(lambda: lines(cluster, space, "p") == ["2", "2", "kept", "256:4096"], 60, cluster.output)
    # What a part of a volume is handed over by goes once its container is started.
    until(lambda: len(mounted_below(cluster)) == 1, 20, lambda: str(mounted_below(cluster)))
    cluster.kubectl("-n", space, "delete", "pod", "p")
    until(lambda: not folder.parent.exists(), 20, cluster.output)
    assert mounted_below(cluster) == []
    cluster.kubectl("delete", "namespace", space)


def test_a_pod_waits_for_what_it_draws_on_and_starts_when_it_comes(cluster: Cluster) -> None:
    space = cluster.namespace("waiting")
    refs = {"configMapRef": {"name": "c"}}
    container = {
        "name": "main",
        "image": "busybox:1.36",
        "command": ["sh", "-c", "echo $A; sleep 600"],
        "envFrom": [refs],
    }
    keys = {"name": "keys", "secret": {"secretName": "s"}}
    mount = {"name": "keys", "mountPath": "/keys"}
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": space},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "volumes": [keys],
                "containers": [{**container, "volumeMounts": [mount]}],
            },
        }
    )

    def told() -> set[tuple[str, str]]:
        events = cluster.items("-n", space, "events", "--field-selector", "type=Warning")
        return {(event["reason"], event["message"]) for event in events}

    missing = ("FailedMount", 'MountVolume.SetUp failed for volume "keys" : secret "s" not found')
    until(lambda: missing in told(), 20, cluster.output)
    cluster.kubectl("-n", space, "create", "secret", "generic", "s", "--from-literal=k=1")
    until(lambda: ("Failed", 'Error: configmap "c" not found') in told(), 20, cluster.output)
    cluster.kubectl("-n", space, "create", "configmap", "c", "--from-literal=A=came")
    cluster.kubectl("-n", space, "wait", "--for=condition=Ready", "pod/p", "--timeout=30s")
    until(lambda: lines(cluster, space, "p") == ["came"], 20, cluster.output)
    cluster.kubectl("delete", "namespace", space, "--wait=false")


@pytest.mark.parametrize("cluster", ["docker"], indirect=True)
def test_a_class_may_leave_its_volumes_to_the_engine(cluster: Cluster) -> None:
    space = cluster.namespace("engine")
    cluster.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "memory"},
            "provisioner": "docker.beanpole.dev",
            "parameters": {"opts": "type=tmpfs\ndevice=tmpfs\no=size=1m,mode=0700"},
            "volumeBindingMode": "WaitForFirstConsumer",
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": space},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "memory",
                "resources": {"requests": {"storage": "1Mi"}},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": space},
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
                "containers": [
                    {
                        "name": "main",
                        "image": "busybox:1.36",
                        "command": ["sh", "-c", "grep ' /data ' /proc/mounts; exec sleep 600"],
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                    }
                ],
            },
        },
    )
    cluster.kubectl("-n", space, "wait", "--for=condition=Ready", "pod/p", "--timeout=60s")
    until(lambda: any("tmpfs" in line for line in lines(cluster, space, "p")), 30, cluster.output)
    cluster.kubectl("delete", "namespace", space)
    until(lambda: not cluster.items("pv"), 60, cluster.output)
    cluster.kubectl("delete", "storageclass", "memory")
