"""What a pod may know of itself."""

from __future__ import annotations

import pytest

from app.objects.change import Object
from app.schemas.rules.field_path import OF_FILES, OF_VARIABLES
from workers.agent.configuring.pod_fields import NoSuchField, field, quoted, resource

POD: Object = {
    "metadata": {
        "name": "web-1",
        "namespace": "shop",
        "uid": "42",
        "labels": {"app": "web", "app.kubernetes.io/part-of": "x"},
        "annotations": {"note": 'says "hi"\n', "a": "é\u200b\x01"},
    },
    "spec": {
        "nodeName": "n1",
        "serviceAccountName": "robot",
        "containers": [
            {
                "name": "main",
                "resources": {"limits": {"cpu": "1500m"}, "requests": {"cpu": "250m", "memory": "100M"}},
            },
            {"name": "huge", "resources": {"limits": {"hugepages-2Mi": "4Mi", "ephemeral-storage": "1Gi"}}},
        ],
        "initContainers": [{"name": "init", "resources": {"limits": {"memory": "1Gi"}}}],
    },
}
ALLOCATABLE = {"cpu": "3900m", "memory": "1Gi", "ephemeral-storage": "10Gi"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "web-1"), ("metadata.namespace", "shop"), ("metadata.uid", "42"), ("spec.nodeName", "n1"),
        ("spec.serviceAccountName", "robot"), ("status.hostIP", "10.0.0.1"), ("status.hostIPs", "10.0.0.1"),
        ("status.podIP", "10.244.1.2"), ("status.podIPs", "10.244.1.2"), ("metadata.labels['app']", "web"),
        ("metadata.labels['app.kubernetes.io/part-of']", "x"), ("metadata.labels['no']", ""),
        ("metadata.annotations['note']", 'says "hi"\n'),
        ("metadata.labels", 'app="web"\napp.kubernetes.io/part-of="x"'),
        ("metadata.annotations", 'a="é\\u200b\\x01"\nnote="says \\"hi\\"\\n"'),
    ],
)  # fmt: skip
def test_a_field_has_its_value(path: str, value: str) -> None:
    assert field(POD, path, "10.244.1.2", "10.0.0.1") == value


def test_every_field_that_validation_lets_through_has_a_value() -> None:
    for path in (*OF_VARIABLES, *OF_FILES):
        assert field(POD, path, "10.244.1.2", "10.0.0.1")
    with pytest.raises(NoSuchField, match=r"unsupported fieldPath: spec\.nothing"):
        field(POD, "spec.nothing", "", "")


@pytest.mark.parametrize(
    ("container", "asked", "divisor", "value"),
    [
        ("main", "limits.cpu", "0", "2"), ("main", "limits.cpu", "1m", "1500"), ("main", "requests.cpu", "1m", "250"),
        ("main", "requests.cpu", "1", "1"), ("main", "requests.memory", "1Mi", "96"), ("main", "requests.memory", "1k", "100000"),
        ("main", "limits.memory", "1Mi", "1024"), ("main", "limits.ephemeral-storage", "1Gi", "10"),
        ("huge", "limits.cpu", "1m", "3900"), ("huge", "requests.cpu", "1", "0"), ("huge", "limits.hugepages-2Mi", "1Mi", "4"),
        ("huge", "requests.hugepages-2Mi", "1", "0"), ("huge", "limits.ephemeral-storage", "1Mi", "1024"),
        ("init", "limits.memory", "1", "1073741824"),
    ],
)  # fmt: skip
def test_a_resource_is_counted_in_its_divisor_and_rounded_up(
    container: str, asked: str, divisor: str, value: str
) -> None:
    ref = {"containerName": container, "resource": asked, "divisor": divisor}
    assert resource(POD, ref, {}, ALLOCATABLE) == value


def test_a_resource_is_by_default_of_the_container_that_asks() -> None:
    own = POD["spec"]["containers"][0]
    assert resource(POD, {"resource": "limits.cpu", "divisor": "1m"}, own, ALLOCATABLE) == "1500"
    with pytest.raises(NoSuchField, match="container none not found"):
        resource(POD, {"containerName": "none", "resource": "limits.cpu"}, own, ALLOCATABLE)


def test_text_is_quoted_as_go_does() -> None:
    assert quoted('a"b\\c\td\x7f\U000e0001') == '"a\\"b\\\\c\\td\\x7f\\U000e0001"'
