from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.objects import quantity
from app.objects.usage import Usage, duration

POD = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "labels": {"app": "web"}},
    "spec": {"nodeName": "n1"},
    "status": {"phase": "Running"},
}
USED = {"at": 1_800_000_000.9, "window": 15.0, "cpu": 0, "memory": 0,
        "pods": {"u1": {"window": 12.5, "containers": {"main": [1_500_000, 2048]}}}}  # fmt: skip


def test_a_pods_metrics_carry_its_name_and_labels_and_what_each_container_uses():
    assert Usage({"n1": USED}).of_pod(POD) == {
        "kind": "PodMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {
            "name": "web", "namespace": "shop", "creationTimestamp": "2027-01-15T08:00:00Z", "labels": {"app": "web"},
        },
        "timestamp": "2027-01-15T08:00:00Z",
        "window": "12.5s",
        "containers": [{"name": "main", "usage": {"cpu": "1500u", "memory": "2Ki"}}],
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"status": {"phase": "Succeeded"}}, {"spec": {"nodeName": "n2"}}, {"spec": {}},
     {"metadata": {**POD["metadata"], "uid": "another"}}],
    ids=["ended", "elsewhere", "unbound", "a namesake"],
)  # fmt: skip
def test_of_a_pod_that_is_not_the_one_that_was_measured_nothing_is_known(change):
    assert Usage({"n1": USED}).of_pod({**POD, **change}) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(15, "15s"), (15.213, "15.213s"), (0.25, "250ms"), (0, "0s"), (60, "1m0s"), (90.5, "1m30.5s"), (3600, "1h0m0s"),
     (59.9999, "1m0s")],
)  # fmt: skip
def test_a_span_is_written_as_go_does(seconds, text):
    assert duration(seconds) == text


@given(st.integers(0, 10**15))
def test_billionths_are_written_exactly_and_canonically(number):
    text = quantity.of_nanos(number)
    assert quantity.nanos(text) == number
    assert quantity.canonical(text) == text
