"""Kubelet's formulas: what a pod's resources come to for one container."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.objects.change import Object
from workers.agent.configuring.resources import amounts, limits_of, oom_score_adj
from workers.runtime.resources import Limits, limits, millis_of_quota, millis_of_shares, shares

GIB = 1 << 30


def container(name: str = "c", requests: Any = None, limits: Any = None, **more: Any) -> Object:
    resources = {k: v for k, v in (("requests", requests), ("limits", limits)) if v}
    return {"name": name, "resources": resources, **more}


def pod(*containers: Object, **spec: Any) -> Object:
    return {"metadata": {"name": "p", "uid": "u"}, "spec": {"containers": list(containers), **spec}}


@pytest.mark.parametrize(
    ("requests", "bounds", "expected"),
    [
        (None, None, 1000),
        ({"cpu": "1", "memory": "1Gi"}, {"cpu": "1", "memory": "1Gi"}, -997),
        ({"memory": "4Gi"}, None, 500),
        ({"memory": "1Ki"}, None, 999),
        ({"cpu": "1"}, None, 999),
        ({"memory": "8Gi"}, None, 3),
        ({"memory": "20Gi"}, None, 3),
        ({"memory": "1Gi"}, {"memory": "2Gi"}, 875),
    ],
)
def test_who_goes_first_when_memory_runs_out(requests: Any, bounds: Any, expected: int) -> None:
    one = container(requests=requests, limits=bounds)
    assert oom_score_adj(pod(one), one, 8 * GIB) == expected


def test_what_a_node_can_not_do_without_goes_last() -> None:
    one = container()
    assert oom_score_adj(pod(one, priorityClassName="system-node-critical"), one, 8 * GIB) == -997


def test_a_sidecar_does_not_go_before_whom_it_serves() -> None:
    main = container("main", {"memory": "4Gi"})
    helper = container("helper", {"memory": "1Gi"}, restartPolicy="Always")
    greater = container("greater", {"memory": "6Gi"}, restartPolicy="Always")
    setup = container("setup", {"memory": "1Gi"})
    body = pod(main, initContainers=[setup, helper, greater])
    assert [oom_score_adj(body, each, 8 * GIB) for each in (setup, helper, greater, main)] == [
        875,
        500,
        250,
        500,
    ]


@pytest.mark.parametrize(
    ("requests", "bounds", "expected"),
    [
        (None, None, Limits(2, 0, 0)),
        ({"cpu": "1m"}, None, Limits(2, 0, 0)),
        ({"cpu": "100m"}, {"cpu": "250m", "memory": "64Mi"}, Limits(102, 250, 64 << 20)),
        (None, {"cpu": "500m"}, Limits(512, 500, 0)),
        ({"cpu": "1m"}, {"cpu": "5m"}, Limits(2, 10, 0)),
        ({"cpu": "400"}, None, Limits(262_144, 0, 0)),
    ],
)
def test_what_a_container_is_held_to(requests: Any, bounds: Any, expected: Limits) -> None:
    one = container(requests=requests, limits=bounds)
    assert limits_of(pod(one), one) == expected


def test_a_pod_of_one_is_held_to_its_own_resources() -> None:
    one = container()
    whole = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
    body = pod(one, resources=whole)
    assert amounts(body, one) == (1000, 2000, 2 * GIB)
    assert oom_score_adj(body, one, 8 * GIB) == 875


def test_what_containers_leave_unsaid_of_a_pods_request_is_shared_out() -> None:
    said, silent, other = container("a", {"cpu": "500m"}, {"cpu": "1"}), container("b"), container("c")
    body = pod(said, silent, other, resources={"requests": {"cpu": "2"}, "limits": {"cpu": "4"}})
    assert [amounts(body, each)[:2] for each in (said, silent, other)] == [
        (500, 1000),
        (500, 4000),
        (500, 4000),
    ]


@given(st.integers(0, 300_000), st.integers(0, 300_000), st.integers(0, 1 << 40))
def test_limits_can_be_told_and_read_back(request: int, cpu: int, memory: int) -> None:
    held = limits(request, cpu, memory)
    assert 2 <= held.cpu_shares <= 262_144
    assert held.cpu_quota == 0 or held.cpu_quota >= 1000
    assert millis_of_quota(held.cpu_quota) == held.cpu_millis
    assert shares(millis_of_shares(held.cpu_shares)) in (held.cpu_shares, held.cpu_shares + 1)
