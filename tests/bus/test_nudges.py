"""Which agents a change concerns."""

from __future__ import annotations

import pytest


def node(name: str, ready: str = "True", queue: str = "") -> dict:
    meta = {"name": name, **({"annotations": {"beanpole.dev/queue": queue}} if queue else {})}
    return {"metadata": meta, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def pod(node_name: str = "", **meta: object) -> dict:
    spec = {"nodeName": node_name} if node_name else {}
    return {"metadata": {"name": "p", "namespace": "default", **meta}, "spec": spec, "status": {}}


@pytest.fixture
def nudged(make_dispatcher, put, outbox):
    """Which queues the last change nudged, on a cluster of two Ready nodes and a dead one."""
    for each in (node("n1"), node("n2", queue="shared"), node("dead", ready="Unknown")):
        put("nodes", each)
    dispatcher = make_dispatcher("a")
    dispatcher.start()

    def nudged() -> list[str]:
        dispatcher.step()
        found, outbox.nudged = outbox.nudged, []
        return found

    return nudged


def test_a_pod_that_is_bound_nudges_its_node(nudged, put):
    put("pods", pod())
    assert nudged() == []
    put("pods", pod("n1"))
    assert nudged() == ["n1"]


def test_nodes_that_share_an_agent_share_its_queue(nudged, put):
    put("pods", pod("n2"))
    assert nudged() == ["shared"]


def test_nobody_is_nudged_on_a_node_that_is_not_ready(nudged, put):
    put("pods", pod("dead"))
    put("services", {"metadata": {"name": "s", "namespace": "default"}, "spec": {}})
    assert nudged() == ["n1", "shared"]


def test_a_pods_new_status_is_no_news_to_its_agent_but_its_deletion_is(nudged, put, clear):
    put("pods", pod("n1"))
    nudged()
    clear("n1")
    put("pods", {**pod("n1"), "status": {"phase": "Running"}})
    assert nudged() == []
    put("pods", pod("n1", deletionTimestamp="2026-01-01T00:00:00Z", deletionGracePeriodSeconds=30))
    assert nudged() == ["n1"]


def test_service_rules_concern_every_ready_node(nudged, put):
    put(
        "endpointslices.discovery.k8s.io",
        {"metadata": {"name": "s-1", "namespace": "default"}, "endpoints": []},
    )
    assert nudged() == ["n1", "shared"]


def test_a_queue_is_nudged_once_until_its_agent_comes(nudged, put, clear):
    put("pods", pod("n1"))
    assert nudged() == ["n1"]
    put("pods", pod("n1", labels={"a": "b"}))
    assert nudged() == []
    clear("n1")
    put("pods", pod("n1", labels={"a": "c"}))
    assert nudged() == ["n1"]


@pytest.fixture
def clear(store):
    """The agent of a queue begins an exchange."""
    from app.store.agents import AgentState

    return lambda node: AgentState(store).arrive({node: 0})


def test_a_volume_to_be_emptied_concerns_the_node_that_holds_it(nudged, put):
    meta = {
        "name": "v",
        "annotations": {"beanpole.dev/node": "n1"},
        "finalizers": ["beanpole.dev/volume-data"],
    }
    volume = {
        "metadata": meta,
        "spec": {"persistentVolumeReclaimPolicy": "Delete"},
        "status": {"phase": "Released"},
    }
    put("persistentvolumes", volume)
    assert nudged() == []
    put("persistentvolumes", {**volume, "metadata": {**meta, "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert nudged() == ["n1"]


def drawing(node_name: str, uid: str, config_map: str) -> dict:
    volume = {"name": "v", "configMap": {"name": config_map}}
    return {
        "metadata": {"name": uid, "namespace": "default", "uid": uid},
        "spec": {"nodeName": node_name, "volumes": [volume], "containers": []},
        "status": {},
    }


def test_what_pods_draw_on_nudges_their_nodes_when_its_content_changes(nudged, put, clear):
    put("pods", drawing("n1", "a", "shown"))
    put("pods", drawing("n2", "b", "other"))
    nudged()
    clear("n1")
    clear("n2")
    shown = {"metadata": {"name": "shown", "namespace": "default"}, "data": {"a": "1"}}
    put("configmaps", shown)
    assert nudged() == ["n1"]
    clear("n1")
    put("configmaps", {**shown, "metadata": {**shown["metadata"], "annotations": {"leader": "me"}}})
    assert nudged() == []
    put("configmaps", {**shown, "data": {"a": "2"}})
    assert nudged() == ["n1"]
    clear("n1")
    put("secrets", shown)
    put("configmaps", {"metadata": {"name": "shown", "namespace": "elsewhere"}, "data": {}})
    assert nudged() == []
