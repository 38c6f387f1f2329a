from __future__ import annotations

import pytest

from app.objects import strategic
from app.schemas import kinds
from app.schemas.merge import merge_key

POD = merge_key(kinds.by_resource("pods"))
DEPLOYMENT = merge_key(kinds.by_resource("deployments.apps"))
SERVICE = merge_key(kinds.by_resource("services"))


@pytest.mark.parametrize(
    ("root", "path", "key", "strategy"),
    [
        (POD, "spec.containers", "name", "merge"),
        (POD, "spec.containers.ports", "containerPort", "merge"),
        (POD, "spec.containers.env", "name", "merge"),
        (POD, "spec.containers.volumeMounts", "mountPath", "merge"),
        (POD, "spec.volumes", "name", "merge,retainKeys"),
        (POD, "spec.tolerations", None, ""),
        (POD, "spec.containers.args", None, ""),
        (POD, "metadata.finalizers", None, "merge"),
        (POD, "metadata.ownerReferences", "uid", "merge"),
        (POD, "status.conditions", "type", "merge"),
        (DEPLOYMENT, "spec.strategy", None, "retainKeys"),
        (DEPLOYMENT, "spec.template.spec.containers", "name", "merge"),
        (SERVICE, "spec.ports", "port", "merge"),
        (POD, "metadata.labels.app", None, ""),
        (POD, "no.such.field", None, ""),
    ],
)
def test_fields_merge_as_kubernetes_declares_them(root, path, key, strategy):
    info = root
    for name in path.split("."):
        info = info.child(name)

    assert (info.merge_key, info.strategy) == (key, strategy)


def test_a_patch_changes_the_container_it_names_and_leaves_the_others(deployment):
    containers = deployment["spec"]["template"]["spec"]["containers"]
    containers.append({"name": "side", "image": "side:1"})
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:2"}]}}}}

    patched = strategic.apply(deployment, patch, DEPLOYMENT)

    images = [c["image"] for c in patched["spec"]["template"]["spec"]["containers"]]
    assert images == ["nginx", "side:2"]
