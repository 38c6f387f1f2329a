"""The official Python client in its ordinary uses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException

from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.waiting import until

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("clients")]


@pytest.fixture(scope="module")
def api(cluster: Cluster) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(str(cluster.state / "kubeconfig")) as made:
        yield made


def pod(name: str, *command: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"made": "here"}},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "restartPolicy": "Never",
            "containers": [{"name": "c", "image": "busybox:1.36", "command": list(command)}],
        },
    }


def test_objects_are_made_read_changed_and_deleted_through_typed_models(
    cluster: Cluster, api: client.ApiClient
) -> None:
    core = client.CoreV1Api(api)
    namespace = cluster.namespace("py-typed")
    made = core.create_namespaced_config_map(
        namespace,
        client.V1ConfigMap(metadata=client.V1ObjectMeta(generate_name="colors-"), data={"a": "red"}),
    )
    assert made.metadata.name.startswith("colors-")
    made.data["b"] = "blue"
    replaced = core.replace_namespaced_config_map(made.metadata.name, namespace, made)
    assert replaced.data == {"a": "red", "b": "blue"}
    with pytest.raises(ApiException) as stale:
        core.replace_namespaced_config_map(made.metadata.name, namespace, made)
    assert stale.value.status == 409
    patched = core.patch_namespaced_config_map(made.metadata.name, namespace, {"data": {"a": None}})
    assert patched.data == {"b": "blue"}
    core.delete_namespaced_config_map(made.metadata.name, namespace)
    assert (
        core.list_namespaced_config_map(namespace, field_selector=f"metadata.name={made.metadata.name}").items
        == []
    )


def test_lists_come_in_chunks_of_one_revision(cluster: Cluster, api: client.ApiClient) -> None:
    core = client.CoreV1Api(api)
    namespace = cluster.namespace("py-chunks")
    for number in range(7):
        core.create_namespaced_secret(namespace, client.V1Secret(metadata={"name": f"s{number}"}))
    seen, token, versions = [], None, set()
    while True:
        page = core.list_namespaced_secret(namespace, limit=3, _continue=token)
        seen += [item.metadata.name for item in page.items]
        versions.add(page.metadata.resource_version)
        token = page.metadata._continue
        if not token:
            break
        core.create_namespaced_secret(namespace, client.V1Secret(metadata={"generate_name": "later-"}))
    assert seen == [f"s{number}" for number in range(7)]
    assert len(versions) == 1


def test_a_watch_tells_of_every_change_in_order(cluster: Cluster, api: client.ApiClient) -> None:
    core = client.CoreV1Api(api)
    namespace = cluster.namespace("py-watch")
    start = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata={"name": "w"}))
    core.patch_namespaced_config_map("w", namespace, {"data": {"k": "v"}})
    core.delete_namespaced_config_map("w", namespace)
    events = watch.Watch().stream(
        core.list_namespaced_config_map, namespace, resource_version=start, field_selector="metadata.name=w",
        timeout_seconds=2,
    )  # fmt: skip
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]


def test_manifests_are_created_from_yaml(cluster: Cluster, api: client.ApiClient, tmp_path: Path) -> None:
    namespace = cluster.namespace("py-yaml")
    utils.create_from_yaml(api, str(ROOT / "examples/web.yaml"), namespace=namespace)
    apps = client.AppsV1Api(api)
    until(lambda: (apps.read_namespaced_deployment("web", namespace).status.ready_replicas or 0) == 3, 60)
    scale = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 1}})
    assert scale.spec.replicas == 1
    document = yaml.safe_load((ROOT / "examples/web.yaml").read_text().split("---")[0])
    with pytest.raises(utils.FailToCreateError, match="already exists"):
        utils.create_from_dict(api, {**document}, namespace=namespace)
    apps.delete_namespaced_deployment("web", namespace, propagation_policy="Foreground")
    core = client.CoreV1Api(api)
    until(lambda: not core.list_namespaced_pod(namespace).items, 60)


def test_the_dynamic_client_discovers_applies_and_watches(cluster: Cluster, api: client.ApiClient) -> None:
    namespace = cluster.namespace("py-dynamic")
    dyn = dynamic.DynamicClient(api)
    deployments = dyn.resources.get(api_version="apps/v1", kind="Deployment")
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "d"}},
            "template": {
                "metadata": {"labels": {"app": "d"}},
                "spec": {"containers": [{"name": "c", "image": "busybox:1.36"}]},
            },
        },
    }
    applied = deployments.server_side_apply(body=body, namespace=namespace, field_manager="here")
    assert applied.metadata.managedFields[0].manager == "here"
    found = deployments.get(name="d", namespace=namespace)
    assert found.spec.template.spec.restartPolicy == "Always"
    deployments.patch(
        body={"spec": {"replicas": 0}}, name="d", namespace=namespace,
        content_type="application/merge-patch+json",
    )  # fmt: skip
    events = deployments.watch(namespace=namespace, timeout=1)
    assert next(event["object"].metadata.name for event in events) == "d"
    deployments.delete(name="d", namespace=namespace)


def test_a_pod_runs_to_its_end_and_its_log_is_read(cluster: Cluster, api: client.ApiClient) -> None:
    core = client.CoreV1Api(api)
    namespace = cluster.namespace("py-pod")
    core.create_namespaced_pod(namespace, pod("once", "echo", "done"))
    until(lambda: core.read_namespaced_pod_status("once", namespace).status.phase == "Succeeded", 60)
    assert core.read_namespaced_pod_log("once", namespace) == "done\n"


def candidate(cluster: Cluster, namespace: str, name: str) -> subprocess.Popen[str]:
    program = str(Path(__file__).with_name("candidate.py"))
    kubeconfig = str(cluster.state / "kubeconfig")
    return subprocess.Popen(
        [sys.executable, program, kubeconfig, namespace, name],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def test_when_the_leader_dies_the_other_candidate_leads(cluster: Cluster, api: client.ApiClient) -> None:
    namespace = cluster.namespace("py-leader")

    def leader() -> str:
        record = client.CoreV1Api(api).read_namespaced_config_map("lock", namespace)
        annotation = record.metadata.annotations["control-plane.alpha.kubernetes.io/leader"]
        return str(json.loads(annotation)["holderIdentity"])

    first = candidate(cluster, namespace, "first")
    second = None
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "leads\n"
        assert leader() == "first"
        second = candidate(cluster, namespace, "second")
        first.kill()
        assert second.stdout is not None
        assert second.stdout.readline() == "leads\n"
        assert leader() == "second"
    finally:
        for running in (first, second):
            if running is not None:
                running.kill()
                running.wait()
