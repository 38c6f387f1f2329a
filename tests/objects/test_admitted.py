from __future__ import annotations

from typing import Any

import pytest

from app.objects.admitted import admitted_pod
from app.objects.qos import qos_class


def pod(**spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"containers": [{"name": "c"}], **spec},
    }


def test_a_plain_pod_gets_everything() -> None:
    given = pod()
    admitted = admitted_pod(given, 30)
    assert admitted["spec"]["serviceAccountName"] == "default"
    assert admitted["spec"]["tolerations"] == [
        {
            "key": f"node.kubernetes.io/{key}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 30,
        }
        for key in ("not-ready", "unreachable")
    ]
    assert admitted["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert given == pod()


def test_what_the_author_said_stands() -> None:
    own = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 5}
    admitted = admitted_pod(pod(serviceAccountName="me", priority=7, tolerations=[own]), 30)
    assert admitted["spec"]["serviceAccountName"] == "me"
    assert admitted["spec"]["priority"] == 7
    assert [t["tolerationSeconds"] for t in admitted["spec"]["tolerations"]] == [5, 30]


def test_one_toleration_may_cover_everything() -> None:
    assert admitted_pod(pod(tolerations=[{"operator": "Exists"}]), 30)["spec"]["tolerations"] == [
        {"operator": "Exists"}
    ]


def test_admitting_twice_changes_nothing_more() -> None:
    once = admitted_pod(pod(), 30)
    assert admitted_pod(once, 30) == once


def test_a_limit_without_request_is_requested() -> None:
    container = {
        "name": "c",
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
    }
    (after,) = admitted_pod(pod(containers=[container]), 30)["spec"]["containers"]
    assert after["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "0"}}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        (
            {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}},
            "Guaranteed",
        ),
        (
            {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}},
            "Burstable",
        ),
        ({"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}, "Burstable"),
    ],
)
def test_the_quality_of_service_follows_from_requests_and_limits(resources: Any, expected: str) -> None:
    assert qos_class({"containers": [{"name": "c", "resources": resources}]}) == expected
