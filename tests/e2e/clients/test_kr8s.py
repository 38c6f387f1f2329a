"""kr8s in its ordinary uses."""

from __future__ import annotations

import kr8s
import pytest
from kr8s.objects import ConfigMap, Deployment, Pod

from tests.e2e.cluster import Cluster
from tests.e2e.waiting import until

pytestmark = [pytest.mark.timeout(120), pytest.mark.xdist_group("clients")]


def deployment(name: str, namespace: str, api: kr8s.Api) -> Deployment:
    return Deployment(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {
                        "terminationGracePeriodSeconds": 1,
                        "containers": [
                            {
                                "name": "c",
                                "image": "busybox:1.36",
                                "command": ["sh", "-c", "echo up; sleep 3600"],
                            }
                        ],
                    },
                },
            },
        },
        api=api,
    )


def test_a_deployment_is_made_waited_for_scaled_and_deleted(cluster: Cluster, kubeconfig: str) -> None:
    api = kr8s.api(kubeconfig=kubeconfig)
    namespace = cluster.namespace("kr8s-deployment")
    made = deployment("d", namespace, api)
    made.create()
    until(made.ready, 60)
    made.scale(2)
    until(lambda: len(made.pods()) == 2 and all(pod.ready() for pod in made.pods()), 60)
    assert list(made.pods()[0].logs()) == ["up"]
    made.delete(propagation_policy="Foreground")
    made.wait("delete", timeout=60)
    assert not made.exists()


def test_objects_are_listed_labelled_annotated_and_patched(cluster: Cluster, kubeconfig: str) -> None:
    api = kr8s.api(kubeconfig=kubeconfig)
    namespace = cluster.namespace("kr8s-objects")
    made = ConfigMap({"metadata": {"name": "c", "namespace": namespace}, "data": {"a": "red"}}, api=api)
    made.create()
    made.label({"mark": "here"})
    made.annotate({"note": "read"})
    made.patch({"data": {"b": "blue"}})
    found = list(api.get("configmaps", namespace=namespace, label_selector={"mark": "here"}))
    assert [item.name for item in found] == ["c"]
    assert dict(found[0].data) == {"a": "red", "b": "blue"}


def test_a_watch_shows_what_is_there(cluster: Cluster, kubeconfig: str) -> None:
    api = kr8s.api(kubeconfig=kubeconfig)
    namespace = cluster.namespace("kr8s-watch")
    ConfigMap({"metadata": {"name": "seen", "namespace": namespace}}, api=api).create()
    for kind, found in api.watch("configmaps", namespace=namespace):
        if found.name == "seen":
            assert kind == "ADDED"
            break


def test_whoami_and_version_answer(cluster: Cluster, kubeconfig: str) -> None:
    api = kr8s.api(kubeconfig=kubeconfig)
    assert api.version()["major"] == "1"
    assert api.whoami()
    assert any(kind["kind"] == "Deployment" for kind in api.api_resources())


def test_a_missing_pod_is_not_found(cluster: Cluster, kubeconfig: str) -> None:
    with pytest.raises(kr8s.NotFoundError):
        Pod.get("nobody", namespace="default", api=kr8s.api(kubeconfig=kubeconfig))
