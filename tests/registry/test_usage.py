"""From what an agent reports to metrics.k8s.io."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.base.errors import NotFound
from app.objects import selector_text
from app.objects.field_selectors import parse
from app.objects.usage import NODES, PODS
from app.schemas import kinds

USED = {"age": 2.0, "window": 15.0, "cpu": 500_000_000, "memory": 1 << 30}


@pytest.fixture
def busy(world: Any, make: Any) -> Any:
    """A node with two pods that use something, and one of which nothing was said."""
    tell(world, node=make.node(labels={"zone": "a"}))
    measured = []
    for name, app in (("web-1", "web"), ("web-2", "web"), ("db", "db"), ("quiet", "web")):
        pod = make.pod(name, nodeName="n1")
        pod["metadata"]["labels"] = {"app": app}
        pod = world.create("pods", pod)
        world.patch("pods", name, {"status": {"phase": "Running"}}, subresource="status")
        if name != "quiet":
            containers = {"web": [100_000_000, 64 << 20], "side": [0, 4096]}
            measured.append({"uid": pod["metadata"]["uid"], "window": 15.0, "containers": containers})
    assert tell(world, usage={**USED, "pods": measured}).get("error") is None
    return world


def tell(world: Any, name: str = "n1", **report: Any) -> dict[str, Any]:
    said = {"network": {}, "nodes": {name: report}}
    answer: dict[str, Any] = orjson.loads(world.registry.exchange_json(said))["nodes"][name]
    return answer


def one(world: Any, resource: str, name: str, namespace: str = "default") -> dict[str, Any]:
    kind = kinds.by_resource(resource)
    found: dict[str, Any] = orjson.loads(
        world.registry.get(world.request(), kind, namespace if kind.namespaced else "", name)
    )
    return found


def test_what_a_pod_uses_can_be_read_wherever_it_was_reported(busy: Any) -> None:
    found = one(busy, PODS, "web-1")
    assert found["containers"] == [
        {"name": "web", "usage": {"cpu": "100m", "memory": "64Mi"}},
        {"name": "side", "usage": {"cpu": "0", "memory": "4Ki"}},
    ]
    assert (found["timestamp"], found["window"]) == ("2027-01-15T07:59:58Z", "15s")
    busy.registry = busy.another(2)
    assert one(busy, PODS, "web-1") == found


def test_what_a_node_uses_can_be_read(busy: Any) -> None:
    found = one(busy, NODES, "n1")
    assert found["usage"] == {"cpu": "500m", "memory": "1Gi"}
    assert found["metadata"]["labels"] == {"zone": "a"}
    assert busy.names(NODES) == ["n1"]


def test_lists_hold_those_that_are_selected_and_known(busy: Any) -> None:
    assert busy.names(PODS) == ["db", "web-1", "web-2"]
    assert busy.names(PODS, "default") == ["db", "web-1", "web-2"]
    assert busy.names(PODS, "kube-system") == []
    assert busy.names(PODS, labels=selector_text.parse("app=web")) == ["web-1", "web-2"]
    assert busy.names(PODS, fields=parse("metadata.name=db", PODS)) == ["db"]
    assert busy.names(NODES, labels=selector_text.parse("zone!=a")) == []


@pytest.mark.parametrize(("resource", "name", "said"), [
    (PODS, "quiet", 'podmetrics.metrics.k8s.io "default/quiet" not found'),
    (PODS, "nosuch", 'podmetrics.metrics.k8s.io "default/nosuch" not found'),
    (NODES, "nosuch", 'nodemetrics.metrics.k8s.io "nosuch" not found'),
])  # fmt: skip
def test_of_what_nothing_is_known_there_is_nothing(busy: Any, resource: str, name: str, said: str) -> None:
    with pytest.raises(NotFound) as caught:
        one(busy, resource, name)
    assert caught.value.message == said


def test_no_agent_speaks_for_pods_of_another_node(busy: Any, make: Any) -> None:
    uid = busy.must("pods", "default/web-1")["metadata"]["uid"]
    false = {"uid": uid, "window": 15.0, "containers": {"web": [9, 9]}}
    tell(busy, "n2", node=make.node("n2"), usage={**USED, "pods": [false]})
    assert one(busy, PODS, "web-1")["containers"][0]["usage"]["cpu"] == "100m"


def test_a_report_makes_no_change_of_the_state(busy: Any) -> None:
    before = busy.store.revision()
    tell(busy, usage={**USED, "pods": []})
    assert busy.store.revision() == before
    assert busy.names(PODS) == []


@pytest.mark.parametrize("usage", [
    [], {}, {**USED}, {**USED, "pods": [{}]}, {**USED, "pods": [], "cpu": -1}, {**USED, "pods": [], "memory": 1.5},
    {**USED, "pods": [], "age": "old"}, {**USED, "pods": [], "window": 1e300}, {**USED, "pods": [], "cpu": True},
    {**USED, "pods": [{"uid": "u", "window": 1, "containers": []}]},
    {**USED, "pods": [{"uid": "u", "window": 1, "containers": {"web": [1]}}]},
    {**USED, "pods": [{"uid": 1, "window": 1, "containers": {}}]},
])  # fmt: skip
def test_a_malformed_report_is_refused(busy: Any, usage: Any) -> None:
    assert tell(busy, usage=usage)["error"]["reason"] == "BadRequest"
    assert one(busy, NODES, "n1")["usage"]["cpu"] == "500m"
