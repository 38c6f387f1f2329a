from __future__ import annotations

from typing import Any

import pytest

from app.base.clock import parse_rfc3339
from app.objects import conditions, pods, taints
from app.objects.claims import claims_of
from app.objects.references import references

T0 = "2026-01-01T00:00:00Z"
NOW = parse_rfc3339(T0)


def container(cpu: str = "", memory: str = "", **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {k: v for k, v in (("cpu", cpu), ("memory", memory)) if v}}, **more}


def pod(ready: str = "True", **meta: Any) -> dict[str, Any]:
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": T0}
    return {"metadata": meta, "spec": {}, "status": {"phase": "Running", "conditions": [condition]}}


def test_a_ready_pod_is_available_once_it_has_been_ready_long_enough() -> None:
    assert pods.is_available(pod(), 0, NOW)
    assert not pods.is_available(pod(), 10, NOW + 9)
    assert pods.is_available(pod(), 10, NOW + 10)
    assert not pods.is_available(pod("False"), 0, NOW)
    assert pods.available_at(pod(), 10) == NOW + 10


def test_a_finished_or_deleted_pod_is_not_active() -> None:
    finished = {"metadata": {}, "status": {"phase": "Failed"}}
    assert pods.is_terminal(finished)
    assert not pods.is_active(finished)
    assert not pods.is_active(pod(deletionTimestamp=T0))
    assert pods.is_active(pod())


def test_a_pod_asks_for_the_sum_of_its_containers() -> None:
    spec = {"containers": [container("100m", "1Mi"), container("0.5", "1Mi"), {}]}
    assert pods.requests({"spec": spec}) == (600, 2 * 2**20)


def test_a_limit_without_a_request_is_asked_for() -> None:
    assert pods.requests({"spec": {"containers": [{"resources": {"limits": {"cpu": "2"}}}]}}) == (2000, 0)


def test_an_init_container_counts_only_as_far_as_it_needs_more_than_the_rest() -> None:
    spec = {
        "containers": [container("100m", "10")],
        "initContainers": [container("300m", "5"), container("200m", "5")],
    }
    assert pods.requests({"spec": spec}) == (300, 10)


def test_a_sidecar_counts_with_the_rest_and_with_the_inits_after_it() -> None:
    sidecar = container("100m", restartPolicy="Always")
    spec = {"containers": [container("100m")], "initContainers": [sidecar, container("150m")]}
    assert pods.requests({"spec": spec}) == (250, 0)


def test_overhead_is_added() -> None:
    assert pods.requests(
        {"spec": {"containers": [container("1")], "overhead": {"cpu": "10m", "memory": "1Ki"}}}
    ) == (1010, 1024)


def test_a_condition_keeps_its_transition_time_while_its_status_stays() -> None:
    before = pod()
    same_status = conditions.with_condition(before, "Ready", "True", NOW + 60, reason="Still")
    assert conditions.get(same_status, "Ready") == {
        "type": "Ready", "status": "True", "reason": "Still", "lastTransitionTime": T0,
    }  # fmt: skip
    other = conditions.with_condition(same_status, "Ready", "False", NOW + 60)
    assert conditions.get(other, "Ready") == {
        "type": "Ready",
        "status": "False",
        "lastTransitionTime": "2026-01-01T00:01:00Z",
    }
    assert conditions.is_true(before, "Ready")
    assert conditions.with_condition(before, "Ready", "True", NOW + 60) is before


def test_a_new_condition_joins_the_others_and_one_can_be_taken_out() -> None:
    both = conditions.with_condition(pod(), "PodScheduled", "True", NOW)
    assert [c["type"] for c in both["status"]["conditions"]] == ["Ready", "PodScheduled"]
    assert conditions.without(both, "Ready")["status"]["conditions"] == [conditions.get(both, "PodScheduled")]
    assert conditions.without(both, "Other") is both


TAINT = {"key": "k", "value": "v", "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "operator": "Equal", "value": "w"}, False),
        ({"key": "k", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"operator": "Exists", "effect": "NoSchedule"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, True),
        ({}, False),
    ],
)
def test_a_toleration_matches_by_key_value_and_effect(toleration: dict[str, str], tolerated: bool) -> None:
    assert taints.tolerates(toleration, TAINT) is tolerated
    found = taints.untolerated([TAINT], [toleration], ["NoExecute"])
    assert (found is None) is tolerated


def test_a_taint_with_another_effect_does_not_count() -> None:
    assert taints.untolerated([TAINT], [], ["NoSchedule"]) is None


def test_the_shortest_toleration_says_how_long_a_pod_stays() -> None:
    forever, short = {"operator": "Exists"}, {"key": "k", "operator": "Exists", "tolerationSeconds": 30}
    assert taints.seconds_tolerated(TAINT, []) == 0
    assert taints.seconds_tolerated(TAINT, [forever]) is None
    assert taints.seconds_tolerated(TAINT, [forever, short]) == 30


def test_a_service_claims_its_addresses_and_ports_and_a_node_its_range() -> None:
    ports = [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP", "nodePort": 30053}]
    service = {
        "spec": {"type": "NodePort", "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "ports": ports}
    }
    assert claims_of("services", service) == (
        "clusterIP/10.96.0.9",
        "nodePort/30080/TCP",
        "nodePort/30053/UDP",
    )
    assert claims_of("services", {"spec": {"clusterIP": "None"}}) == ()
    assert claims_of("nodes", {"spec": {"podCIDR": "10.244.1.0/24"}}) == ("podCIDR/10.244.1.0/24",)
    assert claims_of("pods", {"spec": {}}) == ()


def test_a_pod_refers_to_what_its_volumes_and_environment_name() -> None:
    spec = {
        "containers": [{"envFrom": [{"configMapRef": {"name": "a"}}], "env": [{"valueFrom": {"secretKeyRef": {"name": "b", "key": "k"}}}]}],
        "initContainers": [{"env": [{"name": "X", "value": "1"}, {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]}],
        "volumes": [
            {"configMap": {"name": "d"}}, {"secret": {"secretName": "e"}}, {"emptyDir": {}},
            {"projected": {"sources": [{"secret": {"name": "f"}}, {"configMap": {"name": "g"}}]}},
        ],
        "imagePullSecrets": [{"name": "h"}],
    }  # fmt: skip
    found = references({"metadata": {"namespace": "n"}, "spec": spec})
    assert found == {
        *(("configmaps", f"n/{name}") for name in "acdg"),
        *(("secrets", f"n/{name}") for name in "befh"),
    }
